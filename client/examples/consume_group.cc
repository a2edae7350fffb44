// Prints records of a stream as a member of a consumer group, until COUNT have come: consume_group ADDRESS STREAM GROUP
// COUNT
#include <sluice/group_consumer.h>

#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: consume_group ADDRESS STREAM GROUP COUNT\n", stderr);
    return 2;
  }
  sluice::GroupConsumerOptions options;
  options.client.address = argv[1];
  auto consumer = sluice::GroupConsumer::Join(argv[2], argv[3], options);
  if (!consumer) {
    std::fprintf(stderr, "consume_group: %s\n", consumer.error().ToString().c_str());
    return 1;
  }
  for (int left = std::atoi(argv[4]); left > 0;) {
    const auto records = (*consumer)->Poll(std::chrono::seconds(10));
    if (!records || records->empty()) {
      const std::string why = records ? "nothing came for ten seconds" : records.error().ToString();
      std::fprintf(stderr, "consume_group: %s\n", why.c_str());
      return 1;
    }
    for (const sluice::ConsumedRecord& record : *records) {
      const std::string place = std::to_string(record.shard) + " " + std::to_string(record.offset);
      std::printf("%s %s %s\n", place.c_str(), record.key.value_or("-").c_str(), record.value.c_str());
      --left;
    }
  }
  // All of it is printed: the group goes on behind it.
  const sluice::Status left = (*consumer)->Leave();
  if (!left.ok()) std::fprintf(stderr, "consume_group: %s\n", left.ToString().c_str());
  return left.ok() ? 0 : 1;
}
