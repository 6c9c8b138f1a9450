// The event queue: earliest time first, ties in the order of insertion, so that a run is the same everywhere.
//
// Three parts.  Events that come later than all that were appended to one of a few lanes join that lane, which stays sorted by itself: in a
// regular run (rings, pipelines) nearly all do, and cost a few nanoseconds.  The others go to a ladder: those that are due soon to a
// 4-ary heap, which is small and stays in the cache, later ones unsorted to buckets of time, still later ones to a list.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace reckon {

struct Event {
  double time = 0;             ///< seconds, not negative
  std::uint32_t sequence = 0;  ///< place in the order of insertion
  std::uint32_t payload = 0;   ///< what happens: an index of the caller's
};

namespace detail {

// time, sequence and payload as one number: doubles that are not negative sort like their bits
__extension__ using EventKey = unsigned __int128;
inline constexpr EventKey last_event_key = ~EventKey{0};

inline EventKey event_key(double time, std::uint32_t sequence, std::uint32_t payload) {
  return EventKey{std::bit_cast<std::uint64_t>(time + 0.0)} << 64 | EventKey{sequence} << 32 | payload;
}
inline double time_of(EventKey key) { return std::bit_cast<double>(static_cast<std::uint64_t>(key >> 64)); }

/// A 4-ary heap whose nodes are 16 bytes and whose four children share a cache line.
class EventHeap {
 public:
  EventHeap() { clear(); }
  std::size_t size() const { return heap_.size() - pad; }
  EventKey front() const { return heap_.size() > pad ? heap_[pad] : last_event_key; }
  const EventKey* begin() const { return heap_.data() + pad; }
  const EventKey* end() const { return heap_.data() + heap_.size(); }
  void clear() { heap_.assign(pad, last_event_key); }

  void push(EventKey key) {
    std::size_t i = heap_.size() - pad;
    heap_.push_back(key);
    while (i > 0) {
      const std::size_t parent = (i - 1) / 4;
      if (heap_[parent + pad] < key) break;
      heap_[i + pad] = heap_[parent + pad];
      i = parent;
    }
    heap_[i + pad] = key;
  }

  void pop() {
    const EventKey moved = heap_.back();
    heap_.pop_back();
    const std::size_t count = heap_.size() - pad;
    if (count == 0) return;
    // the hole sinks to a leaf along the smallest children, then the last key rises from there: it belongs near the bottom (Floyd 1964)
    EventKey* const h = &heap_[pad];
    std::size_t i = 0, child = 1;
    for (; child + 3 < count; child = 4 * i + 1) {
      const EventKey* c = h + child;
      const std::size_t low = static_cast<std::size_t>(c[1] < c[0]), high = 2 + static_cast<std::size_t>(c[3] < c[2]);
      const std::size_t smallest = child + (low ^ ((low ^ high) & (std::size_t{0} - static_cast<std::size_t>(c[high] < c[low]))));
      h[i] = h[smallest];
      i = smallest;
    }
    if (child < count) {
      std::size_t smallest = child;
      for (std::size_t k = child + 1; k < count; ++k)
        if (h[k] < h[smallest]) smallest = k;
      h[i] = h[smallest];
      i = smallest;
    }
    while (i > 0) {
      const std::size_t parent = (i - 1) / 4;
      if (h[parent] < moved) break;
      h[i] = h[parent];
      i = parent;
    }
    h[i] = moved;
  }

 private:
  static constexpr std::size_t pad = 3;  // children of node i (counted from 0) are 4 i + 1 ... 4 i + 4: at 4 (i + 1) with the pad
  std::vector<EventKey> heap_;
};

/// Events by how soon they are due (after the ladder queue of Tang, Goh and Thng 2005): a heap of the present bucket and of all before it,
/// buckets of equal width, a list of what lies beyond the last.  A push and a pop cost what the small heap costs; where times crowd in one
/// bucket, they cost what one heap of all would.
class EventLadder {
 public:
  EventKey front() const { return near_.front(); }
  bool empty() const { return near_.size() == 0; }  // the heap is refilled as soon as it is empty

  void push(EventKey key) {
    if (!spread_) {
      near_.push(key);
      if (near_.size() > spread_at_) spread_out(std::vector<EventKey>(near_.begin(), near_.end()));
      return;
    }
    const double time = time_of(key);
    if (time >= horizon_) return far_.push_back(key);
    const double place = (time - start_) * per_second_;
    if (place >= static_cast<double>(next_))
      buckets_[std::min(static_cast<std::size_t>(place), count_ - 1)].push_back(key);
    else
      near_.push(key);
  }

  void pop() {
    near_.pop();
    if (spread_ && near_.size() == 0) refill();
  }

  void clear() {
    near_.clear();
    far_.clear();
    for (std::vector<EventKey>& b : buckets_) b.clear();
    spread_ = false;
    spread_at_ = most_near;
  }

 private:
  static constexpr std::size_t most_near = 256, least_buckets = 64, most_buckets = std::size_t{1} << 16, in_a_bucket = 4;

  /// Takes all events there are and puts them into buckets; into the heap where their times do not spread.
  void spread_out(std::vector<EventKey> all) {
    double last = 0;
    start_ = std::numeric_limits<double>::infinity();
    for (const EventKey key : all) start_ = std::min(start_, time_of(key)), last = std::max(last, time_of(key));
    count_ = std::clamp(all.size() / in_a_bucket, least_buckets, most_buckets);
    per_second_ = static_cast<double>(count_) / (last - start_);
    near_.clear();
    spread_ = std::isfinite(per_second_) && std::isfinite(last) && last > start_;
    spread_at_ = spread_ ? most_near : 2 * std::max(all.size(), most_near);
    if (!spread_) {
      for (const EventKey key : all) near_.push(key);
      return;
    }
    horizon_ = last;
    next_ = 0;
    if (buckets_.size() < count_) buckets_.resize(count_);
    for (const EventKey key : all)
      buckets_[std::min(static_cast<std::size_t>((time_of(key) - start_) * per_second_), count_ - 1)].push_back(key);
    refill();
  }

  /// The next bucket becomes the heap; after the last one the events beyond it are spread out.
  void refill() {
    while (next_ < count_ && buckets_[next_].empty()) ++next_;
    if (next_ < count_) {
      for (const EventKey key : buckets_[next_]) near_.push(key);
      buckets_[next_++].clear();
      return;
    }
    spread_ = false;
    std::vector<EventKey> all;
    all.swap(far_);
    if (all.size() > most_near) return spread_out(std::move(all));
    for (const EventKey key : all) near_.push(key);
  }

  EventHeap near_;
  std::vector<std::vector<EventKey>> buckets_;
  std::vector<EventKey> far_;
  bool spread_ = false;                              // buckets are in use
  std::size_t spread_at_ = most_near;                // size of the heap at which they come into use
  double start_ = 0, per_second_ = 0, horizon_ = 0;  // of the first bucket; buckets a second; end of the last
  std::size_t next_ = 0, count_ = 0;                 // bucket that the heap is filled from next; of how many
};

}  // namespace detail

class EventQueue {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  /// `time` must not be negative; it may lie before events that were already popped (the caller's model decides whether that makes sense).
  void push(double time, std::uint32_t payload) {
    const Key key = detail::event_key(time, sequence_++, payload);
    ++size_;
    for (Lane& lane : lanes_)
      if (lane.accepts(key)) return lane.append(key);
    ladder_.push(key);
  }

  /// Time of the earliest event; infinity without any.
  double first_time() const {
    if (size_ == 0) return std::numeric_limits<double>::infinity();
    Key first = ladder_.front();
    for (const Lane& lane : lanes_) first = std::min(first, lane.front());
    return detail::time_of(first);
  }

  /// The earliest event, removed.  The queue must not be empty.
  Event pop() {
    --size_;
    std::size_t best = num_lanes;
    Key first = ladder_.front();
    for (std::size_t i = 0; i < num_lanes; ++i)
      if (lanes_[i].front() < first) first = lanes_[i].front(), best = i;
    if (best < num_lanes)
      lanes_[best].remove_front();
    else
      ladder_.pop();
    return {detail::time_of(first), static_cast<std::uint32_t>(first >> 32), static_cast<std::uint32_t>(first)};
  }

  void clear() {
    ladder_.clear();
    for (Lane& lane : lanes_) lane.clear();
    size_ = 0;
    sequence_ = 0;
  }

  EventQueue() { clear(); }

 private:
  using Key = detail::EventKey;
  static constexpr Key last_key = detail::last_event_key;
  static constexpr std::size_t num_lanes = 4;

  /// A sorted run in a ring of a power of two.
  class Lane {
   public:
    /// An empty lane takes anything; a filled one only what keeps it sorted.
    bool accepts(Key key) const { return count_ == 0 || key > back_; }
    void append(Key key) {
      if (count_ == ring_.size()) grow();
      ring_[(begin_ + count_) & (ring_.size() - 1)] = key;
      if (count_ == 0) front_ = key;
      back_ = key;
      ++count_;
    }
    Key front() const { return front_; }
    void remove_front() {
      begin_ = (begin_ + 1) & (ring_.size() - 1);
      front_ = --count_ > 0 ? ring_[begin_] : last_key;
    }
    void clear() { begin_ = count_ = 0, front_ = last_key; }

   private:
    void grow() {
      std::vector<Key> larger(ring_.size() * 2);
      for (std::size_t i = 0; i < count_; ++i) larger[i] = ring_[(begin_ + i) & (ring_.size() - 1)];
      ring_.swap(larger);
      begin_ = 0;
    }
    std::vector<Key> ring_ = std::vector<Key>(64);
    std::size_t begin_ = 0, count_ = 0;
    Key front_ = last_key, back_ = 0;
  };

  detail::EventLadder ladder_;
  std::array<Lane, num_lanes> lanes_;
  std::size_t size_ = 0;
  std::uint32_t sequence_ = 0;
};

}  // namespace reckon
