// One flag, set by the signal handler.
#include "tools/sluice/interrupt.h"

#include <csignal>

namespace sluice::tools {

namespace {

volatile std::sig_atomic_t interrupted = 0;
void HandleInterrupt(int) { interrupted = 1; }

}  // namespace

void NoteInterrupts() {
  struct sigaction action{};
  action.sa_handler = HandleInterrupt;
  action.sa_flags = SA_RESETHAND;  // not SA_RESTART: reads are to return
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool Interrupted() { return interrupted != 0; }

}  // namespace sluice::tools
