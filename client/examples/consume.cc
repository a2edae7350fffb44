// Prints records of a stream from its oldest on, until COUNT have come: consume ADDRESS STREAM COUNT
#include <sluice/consumer.h>

#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: consume ADDRESS STREAM COUNT\n", stderr);
    return 2;
  }
  sluice::ConsumerOptions options;
  options.client.address = argv[1];
  options.start = sluice::Position::Oldest();
  auto consumer = sluice::Consumer::Open(argv[2], options);
  if (!consumer) {
    std::fprintf(stderr, "consume: %s\n", consumer.error().ToString().c_str());
    return 1;
  }
  for (int left = std::atoi(argv[3]); left > 0;) {
    const auto records = (*consumer)->Poll(std::chrono::seconds(10));
    if (!records || records->empty()) {
      const std::string why = records ? "nothing came for ten seconds" : records.error().ToString();
      std::fprintf(stderr, "consume: %s\n", why.c_str());
      return 1;
    }
    for (const sluice::ConsumedRecord& record : *records) {
      const std::string place = std::to_string(record.shard) + " " + std::to_string(record.offset);
      std::printf("%s %s %s\n", place.c_str(), record.key.value_or("-").c_str(), record.value.c_str());
      --left;
    }
  }
}
