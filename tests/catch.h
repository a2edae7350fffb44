// Catch2 under one name: Debian 12 has version 2, Debian 13 version 3.
#pragma once

// SLUICE_THREAD_SANITIZER: the tests are built with ThreadSanitizer, for what it cannot do.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLUICE_THREAD_SANITIZER
#endif
#endif

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
