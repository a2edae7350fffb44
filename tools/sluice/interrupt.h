// Ctrl-C as a wish to come to an end: the first SIGINT or SIGTERM is noted and interrupts a blocking read, so that what
// was begun can be finished and summed up; a second one ends the process at once.
//
// Threads: the main thread.
#pragma once

namespace sluice::tools {

/// From here on the first signal is noted instead of ending the process.
void NoteInterrupts();
bool Interrupted();

}  // namespace sluice::tools
