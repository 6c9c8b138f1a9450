// SPDX-License-Identifier: Apache-2.0
#include "measure/storage_run.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/random.hpp"

namespace reckon::measure {
namespace {

constexpr int repetitions = 5;

/// A file that is gone when this is.
class ScratchFile {
 public:
  ScratchFile(const std::filesystem::path& folder, int rank)
      : path_(folder / (".reckon-storage." + std::to_string(::getpid()) + "." + std::to_string(rank))) {
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file_ < 0) fail("cannot create");
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() {
    ::close(file_);
    ::unlink(path_.c_str());
  }

  void write(const std::string& data) {
    if (::lseek(file_, 0, SEEK_SET) < 0) fail("cannot rewind");
    for (std::size_t at = 0; at < data.size();) {
      const ssize_t done = ::write(file_, data.data() + at, data.size() - at);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) fail("cannot write");
      at += std::size_t(done);
    }
    if (::fsync(file_) != 0) fail("cannot make durable");
  }
  void read(std::string& data) {
    if (::lseek(file_, 0, SEEK_SET) < 0) fail("cannot rewind");
    for (std::size_t at = 0; at < data.size();) {
      const ssize_t done = ::read(file_, data.data() + at, data.size() - at);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) fail("cannot read");
      at += std::size_t(done);
    }
  }
  void forget() { ::posix_fadvise(file_, 0, 0, POSIX_FADV_DONTNEED); }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw FileError(path_.string(), std::string(what) + " a scratch file: " + std::strerror(errno),
                    "choose another folder, or free some room");
  }

  std::filesystem::path path_;
  int file_ = -1;
};

}  // namespace

void measure_storage(const Communicator& world, const std::filesystem::path& folder, std::size_t bytes, Samples& samples) {
  std::string data(bytes, '\0'), back(bytes, '\0');
  Philox stream(7, std::uint64_t(world.rank()));
  for (std::size_t i = 0; i + 4 <= bytes; i += 4) {
    const std::uint32_t word = stream.next();
    std::memcpy(&data[i], &word, sizeof word);
  }
  // One rank's failure must not leave the others waiting: all know of it after every phase.
  std::string failure;
  const auto phase = [&](const auto& work) {
    double failed = 0;
    try {
      work();
    } catch (const FileError& error) {
      failure = error.what();
      failed = 1;
    }
    world.all_reduce_max(&failed, 1);
    if (failed > 0) throw Error(ExitCode::file, failure.empty() ? "another rank could not use the folder " + folder.string() : failure);
  };
  std::optional<ScratchFile> file;
  phase([&] { file.emplace(folder, world.rank()); });
  std::vector<double> writes, reads;
  const auto slowest = [&](double seconds) {
    world.all_reduce_max(&seconds, 1);
    return seconds;
  };
  for (int i = 0; i < repetitions; ++i) {
    world.barrier();
    double start = now(ClockKind::wall);
    phase([&] { file->write(data); });
    writes.push_back(slowest(now(ClockKind::wall) - start));
    file->forget();
    world.barrier();
    start = now(ClockKind::wall);
    phase([&] { file->read(back); });
    reads.push_back(slowest(now(ClockKind::wall) - start));
    phase([&] {
      if (back != data) throw FileError(folder.string(), "a file held something else than was written to it");
    });
  }
  const Bytes all{double(bytes) * world.size()};
  samples.storage.push_back({"checkpoint write", all, summary(writes, 0.5)});
  samples.storage.push_back({"data read", all, summary(reads, 0.5)});
}

}  // namespace reckon::measure
