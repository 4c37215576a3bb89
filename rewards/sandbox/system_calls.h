#pragma once
#include <linux/filter.h>

#include <vector>

namespace aha {

/// Who is confined: a program that computes, or the compiler that makes one of untrusted source.
enum class SandboxRole { Program, Compiler };

/// The list of system calls that a confined process may use, as a program for the kernel's filter
/// (seccomp). Whatever is not listed fails with ENOSYS.
///
/// A Program computes on memory and open files: it may start threads but no processes, and there are
/// no sockets, no signals to anyone, no changes to files, no namespaces, no tracing. So limits of one
/// process are limits of the whole program, and nothing is left when it is killed. A Compiler may
/// besides start processes and change files.
///
/// Empty where libseccomp does not know the machine.
std::vector<sock_filter> system_call_filter(SandboxRole role);

}  // namespace aha
