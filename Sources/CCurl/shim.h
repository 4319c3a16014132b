#pragma once
#include <curl/curl.h>

// Swift cannot call variadic functions, so each kind of argument has a wrapper that names its type.
// The wrappers add nothing: the option's own documentation says which kind it takes.

static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(easy, option, value);
}

// Strings are copied by curl, but for CURLOPT_POSTFIELDS, which we do not use.
static inline CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(easy, option, value);
}

// CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION and CURLOPT_READFUNCTION share one signature.
typedef size_t (*ccurl_data_function)(char *, size_t, size_t, void *);
static inline CURLcode ccurl_set_data_function(
    CURL *easy, CURLoption option, ccurl_data_function value) {
  return curl_easy_setopt(easy, option, value);
}

typedef int (*ccurl_seek_function)(void *, curl_off_t, int);
static inline CURLcode ccurl_set_seek_function(CURL *easy, ccurl_seek_function value) {
  return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, value);
}

typedef int (*ccurl_close_function)(void *, curl_socket_t);
static inline CURLcode ccurl_set_close_function(CURL *easy, ccurl_close_function value) {
  return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, value);
}

static inline CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode ccurl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode ccurl_get_pointer(CURL *easy, CURLINFO info, void **value) {
  return curl_easy_getinfo(easy, info, (char **)value);
}

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode ccurl_multi_set_pointer(CURLM *multi, CURLMoption option, void *value) {
  return curl_multi_setopt(multi, option, value);
}

typedef int (*ccurl_socket_function)(CURL *, curl_socket_t, int, void *, void *);
static inline CURLMcode ccurl_multi_set_socket_function(
    CURLM *multi, ccurl_socket_function value) {
  return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, value);
}

typedef int (*ccurl_timer_function)(CURLM *, long, void *);
static inline CURLMcode ccurl_multi_set_timer_function(CURLM *multi, ccurl_timer_function value) {
  return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, value);
}

// A union member: the result of a finished transfer.
static inline CURLcode ccurl_message_result(const CURLMsg *message) {
  return message->data.result;
}

// Macros with casts, which Swift does not import.
static const curl_socket_t ccurl_socket_timeout = CURL_SOCKET_TIMEOUT;
static const size_t ccurl_write_pause = CURL_WRITEFUNC_PAUSE;
