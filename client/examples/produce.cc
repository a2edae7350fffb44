// Puts records into a stream, which is created where it does not exist: produce ADDRESS STREAM COUNT
#include <sluice/admin.h>
#include <sluice/producer.h>

#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: produce ADDRESS STREAM COUNT\n", stderr);
    return 2;
  }
  const auto fail = [](const sluice::Status& status) {
    std::fprintf(stderr, "produce: %s\n", status.ToString().c_str());
    return 1;
  };
  sluice::ProducerOptions options;
  options.client.address = argv[1];
  options.compression = sluice::CompressionType::kLz4;

  auto admin = sluice::AdminClient::Connect(options.client);
  if (!admin) return fail(admin.error());
  const auto created = (*admin)->CreateStream(argv[2], 4);
  if (!created && created.error().code() != sluice::Code::kAlreadyExists) return fail(created.error());

  auto producer = sluice::Producer::Open(argv[2], options);
  if (!producer) return fail(producer.error());
  const int count = std::atoi(argv[3]);
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    const sluice::Status taken = (*producer)->Send("customer-" + std::to_string(i % 10), "order " + number);
    if (!taken.ok()) return fail(taken);
  }
  // OK: every record is on the broker's disk.
  const sluice::Status flushed = (*producer)->Flush();
  if (!flushed.ok()) return fail(flushed);
  std::printf("%s records acknowledged\n", std::to_string((*producer)->stats().records_acknowledged).c_str());
}
