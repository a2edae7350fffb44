// A process to be killed: opens the metadata store in argv[1] and puts key/N for N = argv[2], argv[2]+1, ... one commit
// each, with a '+' on standard output after every acknowledgement. Ends with the code of the error that stopped it.
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "storage/metadata_store.h"

int main(int argc, char** argv) {
  using sluice::storage::Transaction;
  if (argc != 3) return 64;
  const auto store = sluice::storage::OpenRocksdbMetadataStore(argv[1]);
  if (!store.has_value()) return static_cast<int>(store.error().code());
  for (int i = std::atoi(argv[2]);; ++i) {
    const std::string number = std::to_string(i);
    const sluice::Status status = (*store)->Commit(Transaction().Put("key/" + number, number).Put("last", number));
    if (!status.ok()) return static_cast<int>(status.code());
    if (::write(STDOUT_FILENO, "+", 1) != 1) return 65;
  }
}
