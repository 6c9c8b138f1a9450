// SPDX-License-Identifier: Apache-2.0
#include "app/version.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <vector>

#include "base/text.hpp"
#include "git_commit.hpp"  // written by cmake/git_commit.cmake
#include "io/listing.hpp"

namespace reckon {

Version version() {
  Version out{RECKON_VERSION, RECKON_GIT_COMMIT, RECKON_GIT_DIRTY != 0, RECKON_COMPILER, "", RECKON_HDF5};
#if defined(MPICH_VERSION)
  out.mpi = "MPICH " MPICH_VERSION;
#elif defined(OMPI_MAJOR_VERSION)
  out.mpi = fmt::format("Open MPI {}.{}.{}", OMPI_MAJOR_VERSION, OMPI_MINOR_VERSION, OMPI_RELEASE_VERSION);
#else
  out.mpi = fmt::format("MPI standard {}.{}", MPI_VERSION, MPI_SUBVERSION);
#endif
  return out;
}

std::string commit_text() {
  const Version v = version();
  if (v.git_commit.empty()) return "unknown";
  return v.git_commit + (v.modified ? "-modified" : "");
}

std::string version_line() {
  const Version v = version();
  const std::string commit = v.git_commit.empty() ? "unknown" : v.git_commit.substr(0, 12) + (v.modified ? "-modified" : "");
  return fmt::format("reckon {} (git {}, {}, {}, HDF5 {})\n", v.number, commit, v.compiler, v.mpi, v.hdf5);
}

std::string version_json() {
  const Version v = version();
  return record_json("reckon/version/1", {{"software", "reckon"},
                                          {"version", v.number},
                                          {"git_commit", commit_text()},
                                          {"compiler", v.compiler},
                                          {"mpi", v.mpi},
                                          {"hdf5", v.hdf5}});
}

}  // namespace reckon
