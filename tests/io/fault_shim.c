// Preloaded into a program that writes files: at the Nth write, fsync, close or rename of what it writes, kills it or lets the call fail.
//
// RECKON_FAULT_AT=N counts from 1; RECKON_FAULT=kill (SIGKILL instead of the call), torn (SIGKILL after half of a write), or an errno
// number: that call and all later ones fail with it, a write after half of it was done.  Counted: write, fsync, close of regular files open
// for writing; fsync of folders; rename, renameat2.
// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long calls = 0;

static int is_output(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return 0;
  if (S_ISDIR(status.st_mode)) return 1;
  return S_ISREG(status.st_mode) && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY && fd > 2;
}

// 0: go on; 1: this is the call, dies torn if it is a write; otherwise the errno with which it fails.
static int due(void) {
  const char* at = getenv("RECKON_FAULT_AT");
  const char* what = getenv("RECKON_FAULT");
  if (!at || !what) return 0;
  const long n = atol(at);
  ++calls;
  if (strcmp(what, "kill") == 0) {
    if (calls == n) raise(SIGKILL);
    return 0;
  }
  if (strcmp(what, "torn") == 0) return calls == n ? 1 : 0;
  return calls >= n ? atoi(what) : 0;
}

static int fails(int fault) {
  if (fault == 0) return 0;
  if (fault == 1) raise(SIGKILL);
  errno = fault;
  return 1;
}

ssize_t write(int fd, const void* bytes, size_t count) {
  ssize_t (*real)(int, const void*, size_t) = (ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  if (!is_output(fd)) return real(fd, bytes, count);
  const long before = calls;
  const int fault = due();
  if (fault == 0) return real(fd, bytes, count);
  const char* at = getenv("RECKON_FAULT_AT");
  const int first = before + 1 == atol(at);
  if (first && count > 1) {
    const ssize_t half = real(fd, bytes, count / 2);
    if (fault != 1) return half;  // a short write; the next one fails
  }
  fails(fault);
  return -1;
}

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return is_output(fd) && fails(due()) ? -1 : real(fd);
}

int close(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
  struct stat status;
  const int counted = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && is_output(fd);
  const int fault = counted ? due() : 0;
  if (fault == 1) raise(SIGKILL);
  const int result = real(fd);
  return fails(fault) ? -1 : result;
}

int rename(const char* from, const char* to) {
  int (*real)(const char*, const char*) = (int (*)(const char*, const char*))dlsym(RTLD_NEXT, "rename");
  return fails(due()) ? -1 : real(from, to);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  int (*real)(int, const char*, int, const char*, unsigned) = (int (*)(int, const char*, int, const char*, unsigned))dlsym(RTLD_NEXT, "renameat2");
  return fails(due()) ? -1 : real(from_folder, from, to_folder, to, flags);
}
