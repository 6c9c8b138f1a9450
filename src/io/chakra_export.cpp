// Chakra execution traces in the wire format of Protocol Buffers, written by hand: varints, length-delimited fields (protobuf.dev,
// "Encoding"). SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "io/trace_export.hpp"

namespace reckon {
namespace {

/// A message being written.  Fields with the default value are left out, as proto3 does.
class WireMessage {
 public:
  void varint(int field, std::uint64_t value) {
    if (value == 0) return;
    raw(static_cast<std::uint64_t>(field) << 3);
    raw(value);
  }
  void text(int field, std::string_view value) {
    raw(static_cast<std::uint64_t>(field) << 3 | 2);
    raw(value.size());
    bytes_ += value;
  }
  void packed(int field, const std::vector<std::uint64_t>& values) {
    if (values.empty()) return;
    WireMessage inner;
    for (const std::uint64_t v : values) inner.raw(v);
    text(field, inner.bytes_);
  }
  const std::string& bytes() const { return bytes_; }
  void raw(std::uint64_t value) {
    while (value >= 0x80) bytes_ += static_cast<char>(value | 0x80), value >>= 7;
    bytes_ += static_cast<char>(value);
  }

 private:
  std::string bytes_;
};

// numbers of et_def.proto
enum NodeType : std::uint64_t {
  mem_load_node = 2,
  mem_store_node = 3,
  comp_node = 4,
  comm_send_node = 5,
  comm_recv_node = 6,
  comm_coll_node = 7
};
constexpr int attr_field = 10, int64_value = 9, string_value = 29, bool_value = 27;

std::uint64_t chakra_type(Collective c) {
  switch (c) {
    case Collective::all_reduce:
      return 0;
    case Collective::all_gather:
      return 2;
    case Collective::broadcast:
      return 5;
    case Collective::all_to_all:
      return 6;
    case Collective::reduce_scatter:
      return 7;
    case Collective::point_to_point:
      break;
  }
  return 0;
}

class ChakraTrace {
 public:
  ChakraTrace(const StepPlan& plan, std::size_t stage) : plan_(plan), stage_(stage) {
    WireMessage metadata;
    metadata.text(1, "0.0.4");
    append(metadata);
  }

  void pass(const Action& a) {
    const PipelineShape& s = plan_.shape;
    const std::int32_t place = s.place_of(static_cast<std::int32_t>(stage_), a.chunk);
    const bool forward = a.kind == ActionKind::forward, weight = a.kind == ActionKind::weight;
    const std::int32_t before = forward ? place - 1 : place + 1, after = forward ? place + 1 : place - 1;
    const auto other = [&](std::int32_t at) {
      return !weight && at >= 0 && at < s.places() && s.stage_at(at, a.chunk) != static_cast<std::int32_t>(stage_);
    };
    if (other(before)) transfer(comm_recv_node, s.stage_at(before, a.chunk), a, forward ? place : before);
    for (const Piece& p : plan_.pieces(stage_, a)) {
      compute(fmt::format("{}_{}_layer{}", name(a), a.micro_batch, p.layer), p.before + p.beside);
      if (p.stream == Stream::host)
        memory(p, forward);
      else if (p.stream != Stream::compute)
        collective(p);
    }
    if (other(after)) transfer(comm_send_node, s.stage_at(after, a.chunk), a, forward ? after : place);
  }

  void finish() {
    const StageFinish& f = plan_.finish[stage_];
    const Piece reduce{
        .bytes = f.reduce_bytes, .stream = Stream::data, .collective = f.gather > 0 ? Collective::reduce_scatter : Collective::all_reduce};
    if (f.reduce > 0) collective(reduce);
    compute("optimizer", f.optimizer);
    if (f.gather > 0) collective({.bytes = f.gather_bytes, .stream = Stream::data, .collective = Collective::all_gather});
  }

  const std::string& bytes() const { return out_; }

 private:
  static const char* name(const Action& a) {
    static const char* const names[] = {"forward", "backward", "weight"};
    return names[static_cast<int>(a.kind)];
  }

  void append(const WireMessage& m) {
    WireMessage length;
    length.raw(m.bytes().size());
    out_ += length.bytes() + m.bytes();
  }
  static void attribute(WireMessage& node, const char* key, std::int64_t value) {
    WireMessage attr;
    attr.text(1, key);
    attr.raw(int64_value << 3);  // written also when 0: the value is a member of a oneof
    attr.raw(static_cast<std::uint64_t>(value));
    node.text(attr_field, attr.bytes());
  }
  static void attribute(WireMessage& node, const char* key, const std::string& value) {
    WireMessage attr;
    attr.text(1, key);
    attr.text(string_value, value);
    node.text(attr_field, attr.bytes());
  }
  WireMessage node(const std::string& title, NodeType type) {
    WireMessage out;
    out.varint(1, ++id_);
    out.text(2, title);
    out.varint(3, type);
    if (id_ > 1) out.packed(5, {id_ - 1});
    return out;
  }
  void close(WireMessage& m) {
    WireMessage attr;
    attr.text(1, "is_cpu_op");
    attr.raw(bool_value << 3);
    attr.raw(0);
    m.text(attr_field, attr.bytes());
    append(m);
  }

  void compute(const std::string& title, double seconds) {
    if (seconds <= 0) return;
    WireMessage m = node(title, comp_node);
    m.varint(7, static_cast<std::uint64_t>(std::llround(seconds * 1e6)));
    attribute(m, "runtime", std::llround(seconds * 1e6));
    close(m);
  }
  void collective(const Piece& p) {
    WireMessage m = node(fmt::format("{}_collective", name_of(p.stream)), comm_coll_node);
    attribute(m, "comm_type", static_cast<std::int64_t>(chakra_type(p.collective)));
    attribute(m, "comm_size", std::llround(p.bytes));
    attribute(m, "pg_name", std::string(name_of(p.stream)));
    attribute(m, "comm_ranks", plan_.ranks[static_cast<int>(p.stream)]);
    close(m);
  }
  /// Activations to the host's memory, or back.
  void memory(const Piece& p, bool store) {
    WireMessage m = node(store ? "activations_to_host" : "activations_from_host", store ? mem_store_node : mem_load_node);
    attribute(m, "tensor_size", std::llround(p.bytes));
    close(m);
  }
  /// The tag names the boundary and the micro-batch, the same on both sides.
  void transfer(NodeType type, std::int32_t other, const Action& a, std::int32_t boundary) {
    const std::int64_t own = static_cast<std::int64_t>(stage_);
    WireMessage m = node(fmt::format("{}_{}_{}", type == comm_send_node ? "send" : "recv", name(a), a.micro_batch), type);
    attribute(m, "comm_src", type == comm_send_node ? own : other);
    attribute(m, "comm_dst", type == comm_send_node ? other : own);
    attribute(
        m, "comm_tag",
        (static_cast<std::int64_t>(boundary) * plan_.shape.micro_batches + a.micro_batch) * 2 + (a.kind == ActionKind::forward ? 0 : 1));
    attribute(m, "comm_size", std::llround(plan_.boundary_bytes));
    close(m);
  }

  const StepPlan& plan_;
  std::size_t stage_;
  std::uint64_t id_ = 0;
  std::string out_;
};

}  // namespace

std::string chakra_trace(const StepPlan& plan, const StepSimulation& simulation, std::size_t stage) {
  ChakraTrace out(plan, stage);
  for (const TimedAction& a : simulation.timeline.stages[stage]) out.pass(a.action);
  out.finish();
  return out.bytes();
}

}  // namespace reckon
