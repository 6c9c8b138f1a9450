// Memory and stream of the machine that a rank trains on.
// SPDX-License-Identifier: Apache-2.0
#include "train/machine.hpp"

#include <cstring>
#include <new>

#include "base/error.hpp"
#include "runtime/device.hpp"

namespace reckon::train {
namespace {

const Machine*& machine_of_thread() {
  static const Machine processor;
  static thread_local const Machine* machine = &processor;
  return machine;
}

}  // namespace

Machine::Machine(Backend backend, int rank) : backend_(backend) {
  if (backend != Backend::cuda) return;
  require_device();
  choose_device(rank);
  device_ = std::make_unique<DeviceStream>();
}

Machine::~Machine() {
  for (const auto& [size, arrays] : free_) {
    for (void* array : arrays) free_unified(array);
  }
}

const DeviceGroup* Machine::group(const Communicator& ranks) const {
  if (!device_ || ranks.size() == 1) return nullptr;
  std::unique_ptr<DeviceGroup>& group = groups_[ranks.identity()];
  if (!group) {
    group = std::make_unique<DeviceGroup>(ranks.rank(), ranks.size(),
                                          [&](const void* part, void* whole, std::size_t bytes) { ranks.all_gather(part, whole, bytes); });
  }
  return group->usable() ? group.get() : nullptr;
}

void* Machine::allocate(std::size_t bytes) const {
  if (!device_) return ::operator new (bytes, std::align_val_t{64});
  std::vector<void*>& kept = free_[bytes];
  if (kept.empty()) return allocate_unified(bytes);
  void* data = kept.back();
  kept.pop_back();
  return data;
}

void Machine::release(void* data, std::size_t bytes) const noexcept {
  if (!device_) return ::operator delete (data, std::align_val_t{64});
  try {
    free_[bytes].push_back(data);  // what is still queued runs before what will use it next
  } catch (const std::bad_alloc&) {
    free_unified(data);
  }
}

const Machine& current_machine() { return *machine_of_thread(); }

OnMachine::OnMachine(const Machine& machine) : before_(machine_of_thread()) { machine_of_thread() = &machine; }
OnMachine::~OnMachine() { machine_of_thread() = before_; }

void clear_bytes(void* data, std::size_t bytes) {
  const Machine& machine = current_machine();
  if (machine.is_device()) return fill_device(data, 0, bytes, machine.stream());
  std::memset(data, 0, bytes);
}

void copy_bytes(void* to, const void* from, std::size_t bytes) {
  const Machine& machine = current_machine();
  if (bytes == 0) return;
  if (machine.is_device()) return copy_on_device(to, from, bytes, machine.stream());
  std::memcpy(to, from, bytes);
}

}  // namespace reckon::train
