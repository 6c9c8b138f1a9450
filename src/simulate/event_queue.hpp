// The event queue: earliest time first, ties in the order of insertion, so that a run is the same everywhere.
//
// Two parts.  Events that come later than all that were appended to one of a few lanes join that lane, which stays sorted by itself: in a
// regular run (rings, pipelines) nearly all do, and cost a few nanoseconds.  The others go to a 4-ary heap whose nodes are 16 bytes and
// whose four children share a cache line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace reckon {

struct Event {
  double time = 0;             ///< seconds, not negative
  std::uint32_t sequence = 0;  ///< place in the order of insertion
  std::uint32_t payload = 0;   ///< what happens: an index of the caller's
};

class EventQueue {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  /// `time` must not be negative; it may lie before events that were already popped (the caller's model decides whether that makes sense).
  void push(double time, std::uint32_t payload) {
    const Key key = key_of(time, sequence_++, payload);
    ++size_;
    for (Lane& lane : lanes_)
      if (lane.accepts(key)) return lane.append(key);
    heap_push(key);
  }

  /// The earliest event, removed.  The queue must not be empty.
  Event pop() {
    --size_;
    std::size_t best = num_lanes;
    Key first = heap_.size() > pad ? heap_[pad] : last_key;
    for (std::size_t i = 0; i < num_lanes; ++i)
      if (lanes_[i].front() < first) first = lanes_[i].front(), best = i;
    if (best < num_lanes)
      lanes_[best].remove_front();
    else
      heap_pop();
    return {std::bit_cast<double>(static_cast<std::uint64_t>(first >> 64)), static_cast<std::uint32_t>(first >> 32),
            static_cast<std::uint32_t>(first)};
  }

  void clear() {
    heap_.assign(pad, last_key);
    for (Lane& lane : lanes_) lane.clear();
    size_ = 0;
    sequence_ = 0;
  }

  EventQueue() { clear(); }

 private:
  // time, sequence and payload as one number: doubles that are not negative sort like their bits
  __extension__ using Key = unsigned __int128;
  static constexpr Key last_key = ~Key{0};
  static constexpr std::size_t num_lanes = 4,
                               pad = 3;  // children of node i (counted from 0) are 4 i + 1 ... 4 i + 4: at 4 (i + 1) with the pad

  static Key key_of(double time, std::uint32_t sequence, std::uint32_t payload) {
    return Key{std::bit_cast<std::uint64_t>(time + 0.0)} << 64 | Key{sequence} << 32 | payload;
  }

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

  void heap_push(Key key) {
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

  void heap_pop() {
    const Key moved = heap_.back();
    heap_.pop_back();
    const std::size_t count = heap_.size() - pad;
    if (count == 0) return;
    // the hole sinks to a leaf along the smallest children, then the last key rises from there: it belongs near the bottom (Floyd 1964)
    Key* const h = &heap_[pad];
    std::size_t i = 0, child = 1;
    for (; child + 3 < count; child = 4 * i + 1) {
      const Key* c = h + child;
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

  std::vector<Key> heap_;
  std::array<Lane, num_lanes> lanes_;
  std::size_t size_ = 0;
  std::uint32_t sequence_ = 0;
};

}  // namespace reckon
