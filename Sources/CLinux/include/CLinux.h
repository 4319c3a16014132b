/* What Swift cannot call by itself: epoll, eventfd and accept4 are hidden behind feature macros or
   absent from Swift's Glibc map. */
#ifndef RECOUNT_CLINUX_H
#define RECOUNT_CLINUX_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

struct sockaddr;

/* epoll's user data is a union, which Swift sees poorly. */
static inline int recount_epoll_control(int epoll, int operation, int fd, uint32_t events,
                                        uint64_t token) {
  struct epoll_event event = {.events = events, .data = {.u64 = token}};
  return epoll_ctl(epoll, operation, fd, &event);
}

/* A descriptor that is ready: its token and its EPOLL* bits. */
struct recount_ready {
  uint64_t token;
  uint32_t events;
};

enum { RECOUNT_READY_MAX = 256 };

/* Without the union, so that Swift's memory safety has nothing to say. */
static inline int recount_epoll_wait(int epoll, struct recount_ready *ready, int count,
                                     int milliseconds) {
  struct epoll_event events[RECOUNT_READY_MAX];
  if (count > RECOUNT_READY_MAX) count = RECOUNT_READY_MAX;
  int found = epoll_wait(epoll, events, count, milliseconds);
  for (int i = 0; i < found; i++) {
    ready[i].token = events[i].data.u64;
    ready[i].events = events[i].events;
  }
  return found;
}

/* accept4 with SOCK_NONBLOCK and SOCK_CLOEXEC; needs _GNU_SOURCE, which would change types that
   Swift's Glibc map has already. */
int recount_accept(int fd, struct sockaddr *address, uint32_t *length);

/* Names the calling thread; likewise. */
void recount_name_thread(const char *name);

#endif
