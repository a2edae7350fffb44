// sluice-jq: runs one jq program over records, confined, for a broker that partitions by it
// (broker/delivery/processing/jq_worker.h).
//
//     sluice-jq PROGRAM
//     sluice-jq --try forbidden      once it is confined: a line for each call that must be refused, with its errno
//
// Each line of standard input is a JSON array of records; the answer is one line, an array with an object for each
// record: {"keys":{name: value, ..}}, values as texts, null where jq gives null; or {"error": why}. A program that does
// not compile ends it with 3, and what is wrong is on standard error.
//
// Confined: when records are read the process can read its input, write its output and use 512 MiB of memory, and
// nothing else: no file, no network, no other process. A record that takes more than 2 s of processor time ends it
// with 4.
#include <fcntl.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iostream>
#include <string>
#include <string_view>

extern "C" {  // jq 1.6 does not say so itself
#include <jq.h>
}

namespace {

constexpr rlim_t kMemoryBytes = 512ull << 20;
constexpr int kCannotRun = 126;  // as a shell says it of a program
constexpr int kBadProgram = 3;
constexpr int kTookTooLong = 4;
constexpr itimerval kRecordTime{.it_interval = {0, 0}, .it_value = {2, 0}};

/// What is left: reading, writing, memory, and the end.
constexpr int kAllowed[] = {
    SCMP_SYS(read),          SCMP_SYS(write),          SCMP_SYS(writev),     SCMP_SYS(brk),     SCMP_SYS(mmap),
    SCMP_SYS(munmap),        SCMP_SYS(mremap),         SCMP_SYS(mprotect),   SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(clock_gettime), SCMP_SYS(fstat),          SCMP_SYS(newfstatat), SCMP_SYS(lseek),   SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigaction),  SCMP_SYS(rt_sigprocmask), SCMP_SYS(getrandom),  SCMP_SYS(exit),    SCMP_SYS(exit_group),
    SCMP_SYS(setitimer),     SCMP_SYS(tgkill),         SCMP_SYS(getpid),     SCMP_SYS(gettid)};

/// False with errno where the system does not allow to be confined.
bool Confine() {
  const rlimit memory{kMemoryBytes, kMemoryBytes};
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_AS, &memory) != 0 || setrlimit(RLIMIT_CORE, &none) != 0) return false;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (filter == nullptr) return false;
  int failed = 0;
  for (const int call : kAllowed) failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  failed |= seccomp_load(filter);
  seccomp_release(filter);
  return failed == 0;
}

/// 0 is a call that was allowed.
int TryForbidden() {
  const auto say = [](std::string_view call, int result) {
    std::cout << call << ' ' << (result < 0 ? errno : 0) << std::endl;
  };
  say("open", open("/dev/null", O_RDONLY));
  say("socket", socket(AF_UNIX, SOCK_STREAM, 0));
  const pid_t child = fork();
  if (child == 0) _exit(0);
  say("fork", child);
  say("exec", execl("/", "/", nullptr));
  return 0;
}

/// jq cannot be left in the middle: the process ends.
void EndTooLong(int /*signal*/) {
  constexpr char kMessage[] = "the program took more than 2 s for one record\n";
  (void)!write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
  _exit(kTookTooLong);
}

jv WithError(jv message) {
  const jv text = jv_get_kind(message) == JV_KIND_STRING ? message : jv_dump_string(message, 0);
  return jv_object_set(jv_object(), jv_string("error"), text);
}

jv TextOf(jv value) {
  const jv_kind kind = jv_get_kind(value);
  return kind == JV_KIND_STRING || kind == JV_KIND_NULL ? value : jv_dump_string(value, 0);
}

/// What the program gives first is what counts.
jv Answer(jq_state* jq, jv record) {
  setitimer(ITIMER_PROF, &kRecordTime, nullptr);
  jq_start(jq, record, 0);
  jv result = jq_next(jq);
  if (!jv_is_valid(result)) {
    jv message = jv_invalid_get_msg(result);
    if (jv_get_kind(message) != JV_KIND_NULL) return WithError(message);
    jv_free(message);
    return WithError(jv_string("the program gives nothing for this record"));
  }
  if (jv_get_kind(result) != JV_KIND_OBJECT) {
    const jv_kind kind = jv_get_kind(result);
    jv_free(result);
    return WithError(jv_string_fmt("the program gives %s, not an object", jv_kind_name(kind)));
  }
  jv keys = jv_object();
  jv_object_foreach(result, name, value) keys = jv_object_set(keys, name, TextOf(value));
  jv_free(result);
  return jv_object_set(jv_object(), jv_string("keys"), keys);
}

/// False where the line is no array: whoever sends such lines is not the broker.
bool AnswerLine(jq_state* jq, const std::string& line) {
  jv records = jv_parse_sized(line.data(), static_cast<int>(line.size()));
  if (!jv_is_valid(records) || jv_get_kind(records) != JV_KIND_ARRAY) return false;
  jv answers = jv_array();
  jv_array_foreach(records, i, record) answers = jv_array_append(answers, Answer(jq, record));
  jv_free(records);
  const jv text = jv_dump_string(answers, JV_PRINT_SORTED);
  std::cout << jv_string_value(text) << std::endl;
  jv_free(text);
  return static_cast<bool>(std::cout);
}

void SayError(void*, jv message) {
  std::cerr << jv_string_value(message) << '\n';
  jv_free(message);
}

}  // namespace

int main(int argc, char** argv) {
  const bool tries = argc == 3 && argv[1] == std::string_view("--try") && argv[2] == std::string_view("forbidden");
  if (argc != 2 && !tries) {
    std::cerr << "usage: sluice-jq PROGRAM; it is started by the broker\n";
    return kBadProgram;
  }
  std::ios::sync_with_stdio(false);
  static char* no_variables[] = {nullptr};
  environ = no_variables;  // the program can read them, and they may hold secrets
  jq_state* const jq = jq_init();
  if (jq == nullptr || !Confine()) {
    std::cerr << "sluice-jq cannot confine itself: errno " << errno << '\n';
    return kCannotRun;
  }
  if (tries) return TryForbidden();
  std::signal(SIGPROF, EndTooLong);
  jq_set_error_cb(jq, SayError, nullptr);
  if (jq_compile(jq, argv[1]) == 0) return kBadProgram;
  for (std::string line; std::getline(std::cin, line);) {
    if (!AnswerLine(jq, line)) return kBadProgram;
  }
  return 0;
}
