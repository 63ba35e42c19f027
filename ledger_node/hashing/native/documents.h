// Documents as the processor's engines see them: a state, and the next whole blocks to take into it.
#ifndef LEDGER_NODE_DOCUMENTS_H
#define LEDGER_NODE_DOCUMENTS_H

#include <stddef.h>
#include <sys/stat.h>

#include <memory>

#include "sha256_core.h"

// Why a document has no digest, beside the errno that a system call gave (which is positive).
enum Failure { CHANGED = -1, NOT_REGULAR = -2, LEFT = -3 };

enum Engine { SCALAR, SHA_NI, AVX512 };

// One document: bytes in memory (`data`), a file to be opened (`path`), or an open file (`fd`).
struct Document {
  const u8* data = nullptr;
  const char* path = nullptr;
  int fd = -1;
  int error = 0;
  Engine engine = SCALAR;  // what began it; the last few lanes of a batch are ended by SHA-NI
  u64 size = 0;
  struct timespec modified = {0, 0};
  u8 digest[32];

  bool is_file() const { return !data; }
  // How long a file is, to plan with; sets `error` for what cannot be looked at.
  void look();
};

// A file of a document, open as long as this lives.
class OpenFile {
 public:
  OpenFile() = default;
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { drop(); }
  // Takes the size and the time of change that the file has now into the document; false with its error set.
  bool open(Document& document);
  // Reads until `bytes` are there or the file ends; returns how many, or -1 with the document's error set.
  long read(Document& document, u8* into, size_t bytes, u64 offset);
  // Closes it; sets CHANGED unless size and time of change are as they were when it was opened.
  void close(Document& document);

 private:
  void drop();

  int fd_ = -1;
  bool owned_ = false;
};

// Writes the padding of a document of `size` bytes at `end`, where its last byte's successor belongs, and returns how
// many blocks there are from the one in which `end` lies.
u64 pad(u8* end, u64 size);

// A place in which one document after the other is hashed.
class Slot {
 public:
  Document* document = nullptr;  // null: the slot is free
  const u8* at = nullptr;        // where the next whole blocks are
  u64 blocks = 0;                // how many; an engine takes them from the front
  alignas(16) u32 state[8];

  // Begins a document; false when it has an error instead.
  bool begin(Document& next, Engine engine);
  // Fetches more blocks once there are none; false when the document is done or failed, and the slot free again.
  bool more();
  u64 bytes_left() const { return blocks * 64 + (document->size - offset_); }

 private:
  bool more_of_buffer();
  bool more_of_file();
  bool end();

  u64 offset_ = 0;       // bytes handed out so far
  bool padded_ = false;  // the padding too
  OpenFile file_;
  std::unique_ptr<u8, void (*)(void*)> window_{nullptr, nullptr};
  u8 tail_[128];
};

#endif
