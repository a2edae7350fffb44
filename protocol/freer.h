// The deleter of a unique_ptr over an object of a C library:
//
//     using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
//
// Values only; safe everywhere.
#pragma once

namespace sluice::protocol {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};

}  // namespace sluice::protocol
