// One pattern for each format, wide enough for what servers of today write.
#include "tools/sluice/log_format.h"

namespace sluice::tools {

const std::vector<LogFormat>& LogFormats() {
  static const std::vector<LogFormat> formats{
      {"COMMONAPACHELOG",
       R"re((\S+) (\S+) (\S+) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\S+) (\S+).*)re",
       {"host", "ident", "authuser", "datetime", "request", "response", "bytes"}},
      {"COMBINEDAPACHELOG",
       R"re((\S+) (\S+) (\S+) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\S+) (\S+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)".*)re",
       {"host", "ident", "authuser", "datetime", "request", "response", "bytes", "referrer", "agent"}},
      {"APACHEERRORLOG",
       R"re(\[([^\]]+)\] \[([^:\]]*):?([^\]]*)\] \[pid (\d+)(?::tid (\d+))?\](?: \[client ([^\]]+)\])? ?(.*))re",
       {"timestamp", "module", "severity", "processid", "threadid", "client", "message"}},
      {"SYSLOG",
       R"re((\w{3} +\d{1,2} \d{2}:\d{2}:\d{2}) (\S+) ([^:\[]+)(?:\[(\d+)\])?: ?(.*))re",
       {"timestamp", "hostname", "program", "processid", "message"}},
      {"RFC3339SYSLOG",
       R"re((\d{4}-\d{2}-\d{2}T\S+) (\S+) ([^:\[]+)(?:\[(\d+)\])?: ?(.*))re",
       {"timestamp", "hostname", "program", "processid", "message"}},
  };
  return formats;
}

}  // namespace sluice::tools
