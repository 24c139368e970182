// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Threads that wait for work, so that a kernel of a tenth of a millisecond can be shared. Waking a
/// sleeping thread may take longer than that, so threads look for work for a moment before they
/// sleep.

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <ctime>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "homolog/core/detail/lock.hpp"
#include "homolog/core/errors.hpp"

// POSIX's threads, mutexes, conditions and clock: <thread>, <mutex>, <condition_variable> and
// <chrono> would take a quarter of the time of <Eigen/Core>.

namespace homolog::inline v0_1 {

namespace detail {

/// Of a clock that nobody sets.
inline double seconds_now() {
  std::timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Waits in a loop until a condition holds, at most 50 microseconds.
template <class Condition>
void look_for(const Condition& condition) {
  const double end = seconds_now() + 50e-6;
  while (!condition()) {
    for (int i = 0; i < 32; ++i) {
      if (condition()) return;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    if (seconds_now() > end) return;
  }
}

/// What every pool of the process has to know of forks.
struct Forks {
  std::atomic<unsigned> count{0};     ///< forks between the first process that matched and this
  std::atomic<bool> renewing{false};  ///< whether a thread makes a pool anew
};

inline Forks& forks() {
  static Forks forks;
  // The handler belongs to the library that registers it, and goes when that is unloaded.
  static const int registered = pthread_atfork(nullptr, nullptr, [] {
    ++forks.count;
    forks.renewing = false;
  });
  if (registered != 0) throw std::bad_alloc();
  return forks;
}

/// What threads wait for under a mutex.
struct PoolEvent {
  pthread_cond_t handle = PTHREAD_COND_INITIALIZER;

  void notify_all() { pthread_cond_broadcast(&handle); }

  template <class Condition>
  void wait(Lock& lock, const Condition& condition) {
    while (!condition()) pthread_cond_wait(&handle, &lock.mutex.handle);
  }
};

}  // namespace detail

/// Runs tasks 0 .. count-1 on the calling thread and on threads that stay for the next call.
/// Threads of several callers help each of them in turn, so that none waits for another's work.
class WorkerPool {
 public:
  WorkerPool() = default;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() { stop(); }

  /// Calls task(i, slot) for each i < count. Calls at the same time have different slots, which are
  /// below `threads`.
  ///
  /// Returns when all tasks are done; the first exception of any is thrown here. A call from within
  /// a task runs on its thread alone.
  ///
  /// @throws DeviceError when a thread cannot be started; Error in a child process that was forked
  /// by a task and returns from it
  template <class Task>
  void run(int threads, std::size_t count, const Task& task) {
    run(threads, count, &task, [](const void* what, std::size_t i, std::size_t slot) {
      (*static_cast<const Task*>(what))(i, slot);
    });
  }

  /// Ends the threads, which finish their tasks first. Later calls run on the calling thread alone.
  void stop() {
    forget_threads();
    std::vector<pthread_t> workers;
    {
      const detail::Lock lock(mutex_);
      stop_ = true;
      workers.swap(workers_);
    }
    wake_.notify_all();
    for (const pthread_t worker : workers) {
      // A task may have ended the process, and a thread cannot wait for itself.
      if (pthread_equal(worker, pthread_self())) {
        pthread_detach(worker);
      } else {
        pthread_join(worker, nullptr);
      }
    }
  }

  /// In a child process after fork(): makes the pool anew, which run() and stop() do by themselves.
  /// The threads do not exist there, and whatever they and their callers had locked or half written
  /// stays as it was. Nothing of it is freed, because a vector that was growing cannot be.
  void forget_threads() {
    detail::Forks& forks = detail::forks();
    if (forks_ == forks.count) return;
    while (forks.renewing.exchange(true)) {
    }
    if (forks_ != forks.count) {  // no other thread of the child came first
      const bool stopped = stop_;
      ::new (this) WorkerPool;
      stop_ = stopped;
    }
    forks.renewing = false;
  }

 private:
  using Call = void (*)(const void* task, std::size_t i, std::size_t slot);

  /// One call of run(), on its caller's stack. What is not atomic changes under the pool's mutex.
  struct Job {
    Call call;
    const void* task;
    std::size_t count;
    std::size_t wanted;  ///< threads that may still come to help
    std::atomic<std::size_t> next{0}, helping{0};
    std::exception_ptr error;
  };

  void run(int threads, std::size_t count, const void* task, Call call) {
    const std::size_t helpers =
        (std::min)(count, static_cast<std::size_t>((std::max)(threads, 1))) - 1;
    if (helpers == 0 || count < 2 || in_task()) {
      for (std::size_t i = 0; i < count; ++i) call(task, i, 0);
      return;
    }
    forget_threads();
    Job job{call, task, count, helpers, {}, {}, {}};
    {
      const detail::Lock lock(mutex_);
      jobs_.reserve(jobs_.size() + 1);
      while (!stop_ && workers_.size() < helpers) add_worker();
      jobs_.push_back(&job);
      ++round_;
    }
    wake_.notify_all();
    if (!take_tasks(job, 0)) std::rethrow_exception(job.error);  // a child has no one to wait for
    detail::Lock lock(mutex_);
    jobs_.erase(std::find(jobs_.begin(), jobs_.end(), &job));  // who has not begun need not
    if (job.helping > 0) {
      lock.unlock();
      detail::look_for([&job] { return job.helping == 0; });
      lock.lock();
    }
    done_.wait(lock, [&job] { return job.helping == 0; });
    if (job.error) std::rethrow_exception(job.error);
  }

  /// @throws DeviceError when the system has no thread left
  void add_worker() {
    workers_.reserve(workers_.size() + 1);
    const auto begin = [](void* pool) noexcept -> void* {
      static_cast<WorkerPool*>(pool)->work();
      return nullptr;
    };
    pthread_t worker{};
    if (const int code = pthread_create(&worker, nullptr, begin, this); code != 0) {
      throw DeviceError(detail::text("worker pool: thread ", workers_.size() + 2,
                                     " cannot be started: ", std::generic_category().message(code),
                                     "; set fewer threads"));
    }
    workers_.push_back(worker);
  }

  /// The job to help next: of those that want a thread the one that has the fewest. Null when none
  /// does.
  Job* open_job() const {
    Job* found = nullptr;
    for (Job* job : jobs_) {
      if (job->wanted == 0 || job->next >= job->count) continue;
      if (found == nullptr || job->helping < found->helping) found = job;
    }
    return found;
  }

  void work() {
    std::size_t seen = 0;
    detail::Lock lock(mutex_);
    while (true) {
      Job* job = open_job();
      if (job == nullptr && !stop_) {
        seen = round_;
        lock.unlock();
        detail::look_for([&] { return round_ != seen || stop_; });
        lock.lock();
        wake_.wait(lock, [&] { return stop_ || (job = open_job()) != nullptr; });
      }
      if (stop_) return;
      const std::size_t slot = job->wanted--;
      ++job->helping;
      lock.unlock();
      const bool same_process = take_tasks(*job, slot);
      // This thread is the only one of such a child: there is no caller to get the error.
      if (!same_process) std::rethrow_exception(job->error);
      lock.lock();
      if (--job->helping == 0) done_.notify_all();
    }
  }

  static bool& in_task() {
    thread_local bool inside = false;
    return inside;
  }

  /// Runs tasks until none is left. False in a child process that was forked by one of them.
  bool take_tasks(Job& job, std::size_t slot) {
    const unsigned forks = detail::forks().count;
    in_task() = true;
    try {
      for (std::size_t i = job.next++; i < job.count; i = job.next++) job.call(job.task, i, slot);
      if (detail::forks().count != forks) {
        throw Error(
            "a matcher forked the process, and the child returned from the matcher: the other "
            "threads' answers do not exist there; end such a child with _exit or exec");
      }
    } catch (...) {
      if (detail::forks().count != forks) forget_threads();
      const detail::Lock lock(mutex_);
      if (!job.error) job.error = std::current_exception();
      job.next = job.count;
    }
    in_task() = false;
    return detail::forks().count == forks;
  }

  detail::Mutex mutex_;
  detail::PoolEvent wake_, done_;
  std::vector<pthread_t> workers_;
  std::vector<Job*> jobs_;  // that are not done
  std::atomic<std::size_t> round_{0};
  std::atomic<bool> stop_{false};
  std::atomic<unsigned> forks_{
      detail::forks().count.load()};  // when the pool was made, or made anew
};

/// The pool that all kernels of the process share, where a call names no other.
///
/// Its threads end with the process, or when the shared library that holds it is unloaded. The pool
/// itself is never destroyed, because other threads, and destructors of static objects, may match
/// while the process ends. A forked child starts with a pool without threads.
inline WorkerPool& worker_pool() {
  struct Shared {
    Shared() { ::new (&pool) WorkerPool; }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    ~Shared() { pool.stop(); }
    union {
      WorkerPool pool;
    };
  };
  static Shared shared;
  // At once, before the child has other threads.
  static const int registered =
      pthread_atfork(nullptr, nullptr, [] { shared.pool.forget_threads(); });
  if (registered != 0) throw std::bad_alloc();
  return shared.pool;
}

}  // namespace homolog::inline v0_1
