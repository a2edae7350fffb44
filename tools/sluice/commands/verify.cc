// sluice verify NAME: proves that a delivery stream put every record into the lake exactly once.
#include "tools/verify/verify.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"
#include "tools/sluice/commands/commands.h"
#include "tools/sluice/options.h"
#include "tools/sluice/commands/dead_letter_reader.h"
#include "tools/sluice/progress.h"

namespace sluice::tools {

namespace {

struct VerifyArguments {
  std::string name;
  VerifyPlaces places;
  std::vector<std::string> buckets;  // NAME=DIR
  std::optional<std::string> config;
};

/// False where one of them is not NAME=DIR.
bool TakeBuckets(Context& context, VerifyArguments& arguments) {
  for (const std::string& text : arguments.buckets) {
    const std::size_t equals = text.find('=');
    if (equals == text.npos || equals == 0 || equals + 1 == text.size()) {
      return context.FailUsage(fmt::format("--bucket {}: it has to be NAME=DIR, as in lake=/srv/lake", text));
    }
    arguments.places.buckets[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return true;
}

Result<VerifyReport> VerifyShowingProgress(const delivery::LedgerDocument& ledger, const VerifyPlaces& places,
                                           const delivery::StoreSettings& stores,
                                           const DeadLetterReader& dead_letters) {
  std::optional<Progress> progress;
  const auto show = [&](const VerifyProgress& reading) {
    if (!progress) progress.emplace("verify", "object", reading.bytes_total);
    progress->Update(reading.bytes, reading.objects);
  };
  return VerifyDelivery(ledger, places, show, stores, dead_letters);
}

bool Verify(Context& context, VerifyArguments& arguments) {
  if (!TakeBuckets(context, arguments)) return false;
  auto client = context.Connect();
  if (!client) return false;
  const auto ledger = CollectLedger([&](const std::string& from) -> Result<std::string> {
    auto page = client->Delivery(DeliveryAction::kLedger, arguments.name, from);
    return page ? Result<std::string>(std::move(page->document)) : Error(page.error());
  });
  if (!ledger) return context.Fail(ledger.error());
  auto config =
      broker::LoadConfig({.file = arguments.config, .environment = broker::ProcessEnvironment(), .overrides = {}});
  if (!config) return context.Fail(config.error());
  StoredDeadLetters stored(*client, context.client_options());
  const auto dead_letters = [&](const delivery::DeadLetters& letters, const DeadLetterVisitor& visitor) {
    return stored.Read(letters, visitor);
  };
  auto report = VerifyShowingProgress(*ledger, arguments.places, config->delivery.stores, dead_letters);
  if (!report) return context.Fail(report.error());
  fmt::print("{}\n", context.json ? VerifyReportJson(*report) : VerifyReportText(*report));
  if (!report->ok()) context.exit_code = kExitDamaged;
  return true;
}

}  // namespace

void RegisterVerifyCommand(CLI::App& app, Context& context) {
  CLI::App* verify =
      app.add_subcommand("verify", "Prove that a delivery stream put every record into the lake exactly once");
  auto arguments = std::make_shared<VerifyArguments>();
  AddDeliveryStreamName(*verify, arguments->name);
  verify->add_option("--directory", arguments->places.directory, "Where its bucket is, if not where the broker says")
      ->type_name("DIR");
  verify
      ->add_option("--backup-directory", arguments->places.backup_directory,
                   "The same of the bucket that its source records are backed up in")
      ->type_name("DIR");
  verify
      ->add_option("--bucket", arguments->buckets,
                   "The same of any bucket, also one that it had before")
      ->type_name("NAME=DIR");
  verify->add_option("--config", arguments->config, "The broker's TOML file, for how to reach an object store")
      ->type_name("FILE");
  verify->footer(
      "Every sequence number up to the checkpoint must be in exactly one of: a lake object, the error output, "
      "filtered. Objects are\n"
      "read again and counted. Ends with 5 where anything is missing, doubled, changed or unknown.\n\n"
      "Example:\n  sluice verify orders");
  verify->callback([=, &context] { Verify(context, *arguments); });
}

}  // namespace sluice::tools
