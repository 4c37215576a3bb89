// A library that says that it is a version of NCCL and has no more of it.
extern "C" int ncclGetVersion(int* version) {
  *version = AHA_VERSION;
  return 0;
}
