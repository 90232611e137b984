/* A lock that is held across fork, so that the child finds the data behind it consistent.
 *
 * The lock is taken when a process forks. Other libraries' fork handlers may still run then, and
 * may allocate. So the forking thread, which holds the lock, passes it until the fork is done. A
 * process with one thread does not take the lock at all. */
#ifndef HEAPMILL_PRELOAD_FORK_LOCK_H
#define HEAPMILL_PRELOAD_FORK_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/single_threaded.h>

struct fork_lock {
    pthread_mutex_t mutex;
    pthread_t forking; /* the thread that is forking; 0: none. Atomic. */
};

#define FORK_LOCK_INITIALIZER ((struct fork_lock){.mutex = PTHREAD_MUTEX_INITIALIZER})

static __attribute__((noinline)) bool fork_lock_wait(struct fork_lock *lock)
{
    if (__atomic_load_n(&lock->forking, __ATOMIC_RELAXED) == pthread_self()) {
        return false;
    }
    (void)pthread_mutex_lock(&lock->mutex);
    return true;
}

/* Takes the lock, and returns whether it was taken. A process with one thread
 * (__libc_single_threaded, glibc 2.32) does not need it: it cannot get a second thread before the
 * unlock. */
static inline bool fork_lock_take(struct fork_lock *lock)
{
    if (__libc_single_threaded) {
        return false;
    }
    return pthread_mutex_trylock(&lock->mutex) == 0 || fork_lock_wait(lock);
}

static inline void fork_lock_release(struct fork_lock *lock, bool taken)
{
    if (taken) {
        (void)pthread_mutex_unlock(&lock->mutex);
    }
}

/* A handler for pthread_atfork. */
static inline void fork_lock_prepare(struct fork_lock *lock)
{
    (void)pthread_mutex_lock(&lock->mutex);
    __atomic_store_n(&lock->forking, pthread_self(), __ATOMIC_RELAXED);
}

static inline void fork_lock_parent(struct fork_lock *lock)
{
    __atomic_store_n(&lock->forking, 0, __ATOMIC_RELAXED);
    (void)pthread_mutex_unlock(&lock->mutex);
}

static inline void fork_lock_child(struct fork_lock *lock)
{
    *lock = FORK_LOCK_INITIALIZER;
}

#endif
