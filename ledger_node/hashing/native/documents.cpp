#include "documents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <new>

namespace {

// Sixteen windows fit into a core's second-level cache together.  Offsets and addresses of reads are multiples of a
// page, which a descriptor opened with O_DIRECT asks for.
const size_t WINDOW_BYTES = 32 << 10;
const size_t PAGE_BYTES = 4096;
const u64 READ_AHEAD_FROM_BYTES = 1 << 20;

// Size and time of change out of what stat or fstat answered.
bool take_stat(Document& document, int answer, const struct stat& found) {
  if (answer != 0) {
    document.error = errno;
  } else if (!S_ISREG(found.st_mode)) {
    document.error = NOT_REGULAR;
  } else {
    document.size = (u64)found.st_size;
    document.modified = found.st_mtim;
  }
  return !document.error;
}

}  // namespace

void Document::look() {
  struct stat found;
  take_stat(*this, path ? stat(path, &found) : fstat(fd, &found), found);
}

bool OpenFile::open(Document& document) {
  owned_ = document.path != nullptr;
  // Never waits for the other end of a named pipe that has taken the file's place since it was looked at.
  fd_ = owned_ ? ::open(document.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : document.fd;
  struct stat found;
  if (!take_stat(document, fd_ < 0 ? -1 : fstat(fd_, &found), found)) return false;
  if (document.size >= READ_AHEAD_FROM_BYTES) posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  return true;
}

void OpenFile::close(Document& document) {
  u64 size = document.size;
  struct timespec modified = document.modified;
  struct stat found;
  if (!document.error && take_stat(document, fstat(fd_, &found), found) &&
      (document.size != size || document.modified.tv_sec != modified.tv_sec ||
       document.modified.tv_nsec != modified.tv_nsec))
    document.error = CHANGED;
  drop();
}

long OpenFile::read(Document& document, u8* into, size_t bytes, u64 offset) {
  size_t got = 0;
  while (got < bytes) {
    ssize_t more = pread(fd_, into + got, bytes - got, (off_t)(offset + got));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) {
      document.error = errno;
      return -1;
    }
    got += (size_t)more;
    // A short read that ends where the file did when it was looked at is its end: one call less for a small file.
    if (more == 0 || offset + got == document.size) break;
  }
  return (long)got;
}

void OpenFile::drop() {
  if (owned_ && fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

u64 pad(u8* end, u64 size) {
  u64 rest = size % 64, blocks = sha256_blocks(rest);
  u8* stop = end - rest + blocks * 64;
  memset(end, 0, (size_t)(stop - end));
  end[0] = 0x80;
  u64 bits = __builtin_bswap64(size * 8);
  memcpy(stop - 8, &bits, 8);
  return blocks;
}

bool Slot::begin(Document& next, Engine engine) {
  document = &next;
  next.engine = engine;
  offset_ = 0;
  blocks = 0;
  padded_ = false;
  if (next.is_file()) {
    if (!window_) {
      window_ = {(u8*)aligned_alloc(PAGE_BYTES, WINDOW_BYTES + PAGE_BYTES), free};
      if (!window_) throw std::bad_alloc();
    }
    if (!file_.open(next)) return end();
  }
  sha256_start(state);
  return more();
}

bool Slot::more() {
  if (!padded_) return document->is_file() ? more_of_file() : more_of_buffer();
  for (int i = 0; i < 8; ++i) {
    u32 word = __builtin_bswap32(state[i]);
    memcpy(document->digest + 4 * i, &word, 4);
  }
  return end();
}

bool Slot::more_of_buffer() {
  if (offset_ == 0 && document->size >= 64) {
    at = document->data;
    blocks = document->size / 64;
    offset_ = blocks * 64;
    return true;
  }
  size_t rest = (size_t)(document->size - offset_);
  memcpy(tail_, document->data + offset_, rest);
  at = tail_;
  blocks = pad(tail_ + rest, document->size);
  offset_ += rest;
  padded_ = true;
  return true;
}

bool Slot::more_of_file() {
  // Always a whole window is asked for, so a file that has grown, or whose size nobody knows, gives more than it may.
  long got = file_.read(*document, window_.get(), WINDOW_BYTES, offset_);
  if (got >= 0 && offset_ + (u64)got > document->size) document->error = CHANGED;
  if (got >= 0 && got < (long)WINDOW_BYTES && offset_ + (u64)got < document->size) document->error = CHANGED;
  if (document->error) return end();
  at = window_.get();
  offset_ += (u64)got;
  padded_ = got < (long)WINDOW_BYTES;
  blocks = (u64)got / 64 + (padded_ ? pad(window_.get() + got, document->size) : 0);
  return true;
}

bool Slot::end() {
  if (document->is_file()) file_.close(*document);
  document = nullptr;
  return false;
}
