// Asks the kernel for the size of the terminal's window.
#include "tools/sluice/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace sluice::tools {

std::size_t TerminalColumns(int descriptor, std::size_t otherwise) {
  winsize size{};
  if (isatty(descriptor) == 0 || ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return otherwise;
  return size.ws_col;
}

}  // namespace sluice::tools
