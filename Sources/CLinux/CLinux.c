#define _GNU_SOURCE
#include "CLinux.h"

#include <pthread.h>
#include <sys/socket.h>

int recount_accept(int fd, struct sockaddr *address, uint32_t *length) {
  return accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void recount_name_thread(const char *name) { (void)pthread_setname_np(pthread_self(), name); }
