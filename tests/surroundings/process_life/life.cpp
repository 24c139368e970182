// SPDX-License-Identifier: Apache-2.0
// What happens to the kernels' threads when a process forks, ends, or unloads a library.
//   process_life CASE      runs one case of the table below; exit status 0 when all went well
//   process_life           lists the cases
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>

#include "support/sanitizer.hpp"
#include "surroundings/process_life/problem.hpp"

namespace {

/// Ends this process with a sentence; _exit, because an exit may be what is tried.
[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  _exit(1);
}

void require(bool fine, const char* what) {
  if (!fine) fail(what);
}

void require_right() { require(matches_right(), "several threads answered otherwise than one"); }

/// Forks, calls `body` in the child, and waits for it. A child that hangs dies after 20 seconds.
template <class Body>
int status_of_child(const Body& body) {
  const pid_t child = fork();
  if (child < 0) fail("fork failed");
  if (child == 0) {
    alarm(20);
    body();
    fail("the child came back");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
  }
  return status;
}

template <class Body>
void in_child(const Body& body) {
  const int status = status_of_child(body);
  if (WIFSIGNALED(status)) {
    fail(WTERMSIG(status) == SIGALRM
             ? "the child hung"
             : std::string("the child ended by ") + strsignal(WTERMSIG(status)));
  }
  require(WEXITSTATUS(status) == 0, "the child failed");
}

[[noreturn]] void exit_now() { std::exit(0); }

[[noreturn]] void match_and_exit() {
  require_right();
  std::exit(0);
}

/// Matches on a thread of its own until it is told to end.
class Matching {
 public:
  Matching()
      : thread_([this] {
          while (!stop_) {
            require_right();
            ++rounds_;
          }
        }) {
    while (rounds_ == 0) std::this_thread::yield();
  }
  ~Matching() {
    stop_ = true;
    thread_.join();
  }
  Matching(const Matching&) = delete;
  Matching& operator=(const Matching&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int> rounds_{0};
  std::thread thread_;
};

/// Argmax that does something else, once, in the first of the queries that a thread of the kind
/// wanted comes to.
struct Interrupted {
  struct Setting {};
  Setting setting;
  void (*action)() = nullptr;
  bool on_caller = true;
  std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool>* done = nullptr;

  homolog::Match operator()(const homolog::SimilarityMap& map) const {
    if ((std::this_thread::get_id() == caller) == on_caller) {
      if (!done->exchange(true)) action();
    } else {
      while (!*done) std::this_thread::yield();  // or one thread could do everything alone
    }
    return homolog::Argmax{}(map);
  }
};

/// Matches, and does something in the middle of it, on the caller's or another thread.
std::vector<homolog::Match> match_interrupted(bool on_caller, void (*action)()) {
  std::atomic<bool> done{false};
  Interrupted matcher;
  matcher.action = action;
  matcher.on_caller = on_caller;
  matcher.done = &done;
  return answers(matcher, 4);
}

void child_exits() {
  require_right();
  in_child(exit_now);
}

void child_matches() {
  require_right();
  in_child(match_and_exit);
}

void child_matches_and_does_not_exit() {
  require_right();
  in_child([] {
    require_right();
    _exit(0);
  });
}

void child_of_a_child() {
  require_right();
  in_child([] {
    in_child(exit_now);
    in_child(match_and_exit);
    require_right();
    in_child([] {
      in_child(match_and_exit);
      match_and_exit();
    });
    std::exit(0);
  });
}

void children_in_turns() {
  for (int i = 0; i < 10; ++i) {
    require_right();
    in_child(match_and_exit);
  }
}

void another_thread_forks() {
  require_right();
  std::thread([] {
    in_child(exit_now);
    in_child(match_and_exit);
  }).join();
  require_right();
}

void fork_while_another_matches() {
  if (homolog::test::address_sanitizer) {
    // Another thread may hold a lock of it when the process forks, and nothing gives that back in
    // the child, as the C library does with its own.
    std::puts("[skipped] the allocator of AddressSanitizer hangs in such a child");
    return;
  }
  const Matching matching;
  for (int i = 0; i < 40; ++i) {
    in_child(exit_now);
    in_child(match_and_exit);
  }
}

struct ForksAtTheEnd {
  ForksAtTheEnd() = default;
  ~ForksAtTheEnd() {
    in_child(exit_now);  // which goes on with the destructors that this process has not called yet
    in_child(match_and_exit);
  }
  ForksAtTheEnd(const ForksAtTheEnd&) = delete;
  ForksAtTheEnd& operator=(const ForksAtTheEnd&) = delete;
};

void fork_in_static_destruction() {
  static const ForksAtTheEnd after_the_pool;
  require_right();
  static const ForksAtTheEnd before_the_pool;
}

void matcher_forks() {
  for (const bool on_caller : {true, false}) {
    match_interrupted(on_caller, [] { in_child(exit_now); });
    match_interrupted(on_caller, [] { in_child(match_and_exit); });
  }
  require_right();
}

/// A child that returns from the matcher lacks what the other threads do: an error says so. Where
/// the matcher ran on a thread of the pool there is nobody to catch it.
void child_returns_from_the_matcher() {
  static pid_t parent;
  parent = getpid();
  static const auto fork_and_return = [] {
    const pid_t child = fork();
    if (child == 0) alarm(20);
    int status = 0;
    if (child > 0 && waitpid(child, &status, 0) == child) {
      require(WIFEXITED(status) ? WEXITSTATUS(status) == 7 : WTERMSIG(status) == SIGABRT,
              "the child went on as if its answers were whole");
    }
  };
  for (const bool on_caller : {true, false}) {
    try {
      match_interrupted(on_caller, [] { fork_and_return(); });
    } catch (const homolog::Error& error) {
      require(getpid() != parent, error.what());
      _exit(7);
    }
    require(getpid() == parent, "the child got answers");
  }
  require_right();
}

/// A pool that is not the process's starts anew in a child too, and tells one that returns from a
/// task what is missing.
void own_pool() {
  static homolog::WorkerPool pool;
  static const auto sum_is_right = [] {
    std::atomic<int> sum{0}, threads{0};
    pool.run(2, 2, [&](std::size_t i, std::size_t) {
      sum += static_cast<int>(i) + 1;
      ++threads;
      while (threads < 2) std::this_thread::yield();  // hangs unless two threads work
    });
    return sum == 3;
  };
  require(sum_is_right(), "the pool's tasks were not run");
  for (int i = 0; i < 5; ++i) {
    in_child([] {
      require(sum_is_right(), "the pool's tasks were not run in the child");
      std::exit(0);
    });
  }
  for (const bool on_caller : {true, false}) {
    static std::atomic<bool> done;
    done = false;
    const pid_t parent = getpid();
    const auto caller = std::this_thread::get_id();
    try {
      pool.run(2, 50, [&](std::size_t, std::size_t) {
        if ((std::this_thread::get_id() == caller) != on_caller) {
          while (!done) std::this_thread::yield();
        } else if (!done) {
          const pid_t child = fork();
          done = true;
          if (child == 0) alarm(20);
          int status = 0;
          if (child > 0 && waitpid(child, &status, 0) == child) {
            require(WIFEXITED(status) ? WEXITSTATUS(status) == 7 : WTERMSIG(status) == SIGABRT,
                    "the child went on as if all tasks had been run");
          }
        }
      });
    } catch (const homolog::Error& error) {
      require(getpid() != parent, error.what());
      _exit(7);
    }
    require(getpid() == parent, "the child got answers");
  }
  require(sum_is_right(), "the pool's tasks were not run after the forks");
}

void exit_while_threads_wait() {
  for (int i = 0; i < 20; ++i) in_child(match_and_exit);
}

void exit_while_another_matches() {
  for (int i = 0; i < 20; ++i) {
    in_child([] {
      new Matching;
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
      std::exit(0);
    });
  }
}

void matcher_exits() {
  for (const bool on_caller : {true, false}) {
    in_child([=] { match_interrupted(on_caller, [] { std::exit(0); }); });
  }
}

struct MatchesAtTheEnd {
  MatchesAtTheEnd() = default;
  ~MatchesAtTheEnd() {
    for (int i = 0; i < 3; ++i) require_right();
  }
  MatchesAtTheEnd(const MatchesAtTheEnd&) = delete;
  MatchesAtTheEnd& operator=(const MatchesAtTheEnd&) = delete;
};

void match_in_static_destruction() {
  static const MatchesAtTheEnd after_the_pool;
  require_right();
  static const MatchesAtTheEnd before_the_pool;
}

std::ptrdiff_t threads_of_this_process() {
  namespace fs = std::filesystem;
  return std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator());
}

constexpr const char* plugin_path = HOMOLOG_PLUGIN;

bool plugin_is_loaded() {
  void* const plugin = dlopen(plugin_path, RTLD_NOW | RTLD_NOLOAD);
  if (plugin != nullptr) dlclose(plugin);
  return plugin != nullptr;
}

/// Loads the plugin, calls one of its functions, and unloads it.
void load_call_and_unload(const char* function) {
  void* const plugin = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) fail(dlerror());
  void* const symbol = dlsym(plugin, function);
  bool (*right)() = nullptr;
  std::memcpy(&right, &symbol, sizeof right);
  require(right(), "the plugin answered otherwise than one thread");
  require(threads_of_this_process() == 4, "the plugin did not match on several threads");
  dlclose(plugin);
}

void library_is_unloaded() {
  for (int i = 0; i < 5; ++i) {
    load_call_and_unload("plugin_leaves_nothing");
    require(!plugin_is_loaded(), "the library is still loaded");
    // A thread that was joined may be listed for another moment.
    for (int wait = 0; threads_of_this_process() > 1 && wait < 1000; ++wait) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    require(threads_of_this_process() == 1, "threads of an unloaded library go on");
    in_child(exit_now);
  }
  require_right();
  in_child(match_and_exit);
}

/// The threads hold objects of the library, which therefore stays until the process ends.
void library_is_held_by_threads() {
  for (int i = 0; i < 5; ++i) {
    load_call_and_unload("plugin_matches_right");
    in_child(exit_now);
  }
  require_right();
  in_child(match_and_exit);
}

struct Case {
  const char* name;
  void (*run)();
  bool child_matches = false;  ///< on several threads
};
constexpr Case cases[] = {
    {"a forked child exits", child_exits},
    {"a forked child matches and exits", child_matches, true},
    {"a forked child matches and ends by _exit", child_matches_and_does_not_exit, true},
    {"a child of a child matches", child_of_a_child, true},
    {"children in turns", children_in_turns, true},
    {"another thread forks", another_thread_forks},
    {"a thread forks while another matches", fork_while_another_matches, true},
    {"a static object's destructor forks", fork_in_static_destruction, true},
    {"a matcher forks", matcher_forks},
    {"a child returns from the matcher that forked", child_returns_from_the_matcher},
    {"a pool of one's own in a forked child", own_pool, true},
    {"exit while threads wait", exit_while_threads_wait},
    {"exit while another thread matches", exit_while_another_matches},
    {"a matcher exits", matcher_exits},
    {"a static object's destructor matches", match_in_static_destruction},
    {"a library that matched is unloaded", library_is_unloaded, true},
    {"a library that threads hold is closed", library_is_held_by_threads, true},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    for (const Case& each : cases) std::puts(each.name);
    return 0;
  }
  const Case* const found = std::find_if(std::begin(cases), std::end(cases), [&](const Case& each) {
    return std::strcmp(each.name, argv[1]) == 0;
  });
  if (found == std::end(cases)) fail(std::string("no such case: ") + argv[1]);
  if (found->child_matches && std::getenv("HOMOLOG_TEST_EMULATED") != nullptr) {
    std::puts("[skipped] QEMU itself fails where the child of a process with threads starts one");
    return 0;
  }
  found->run();
  return 0;
}
