// What the environment says about how this process was started.  Nothing here touches MPI.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace reckon {

/// Reads a variable; std::getenv in the program, a map in tests.
using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment process_environment();

/// True when an MPI launcher (mpiexec, srun --mpi=pmi2, PMIx, Open MPI) started this process.
bool started_by_mpi(const Environment& environment);

/// How many processes were started together with this one, as far as MPI or Slurm says; 1 when nothing is said.
/// A batch script inside an allocation is one process, although SLURM_NTASKS counts the allocation.
int started_processes(const Environment& environment);

/// The rank of this process before MPI is up (PMI_RANK, PMIX_RANK, OMPI_COMM_WORLD_RANK, SLURM_PROCID); 0 when nothing is said.
/// Lets one process alone print --help, --version and usage errors.
int early_rank(const Environment& environment);

}  // namespace reckon
