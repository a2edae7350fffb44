// Loaded into the broker with LD_PRELOAD: flushes do nothing and say OK, like a disk that lies. The power-cut test must
// find losses with it, or it would find none anywhere.
#include <unistd.h>

extern "C" int fdatasync(int) { return 0; }
extern "C" int fsync(int) { return 0; }
