#include "batch.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "engines.h"

namespace {

// What a thread must have to do to be worth its start, which costs some 30 microseconds.
const u64 BYTES_PER_THREAD = 128 << 10;
const size_t FILES_PER_THREAD = 16;
const size_t FILES_AT_ONCE = 64;

// What a document pays, against being alone, for sharing the streams: two or three of them are faster together, but
// each may be slower. More than was ever measured, so that a long document is never held up.
const double SHARE_COST[STREAMS + 1] = {0, 1, 1.5, 2.25};

// From the longest to the shortest, to within an eighth: few steps however many documents there are.
std::vector<Document*> longest_first(Document* documents, size_t count) {
  auto rank = [](const Document& document) {
    u64 size = document.size + 8;  // at least four bits
    int bits = 64 - __builtin_clzll(size);
    return bits * 8 + (int)(size >> (bits - 4) & 7);
  };
  const int RANKS = 65 * 8;
  size_t place[RANKS] = {0};
  for (size_t i = 0; i < count; ++i)
    if (!documents[i].error) ++place[rank(documents[i])];
  size_t before = 0;
  for (int r = RANKS; r-- > 0;) {
    size_t here = place[r];
    place[r] = before;
    before += here;
  }
  std::vector<Document*> order(before);
  for (size_t i = 0; i < count; ++i)
    if (!documents[i].error) order[place[rank(documents[i])]++] = &documents[i];
  return order;
}

// How many of the documents, from the longest on, lanes would not have done by the time that streams need for all.
size_t count_long(const std::vector<Document*>& order, u64 total, const Plan& plan) {
  if (!plan.lanes) return order.size();
  size_t many = 0;
  for (u64 rest = total; many < order.size(); ++many) {
    u64 size = order[many]->size + 64;
    if (size * LANES_MIN * (u64)plan.threads <= rest) break;
    rest -= size;
  }
  return many;
}

Advance advance_by(const Plan& plan) { return plan.streams == SHA_NI ? advance_sha_ni : advance_scalar; }

// Streams for the long documents. One that determines when the batch is done does not share its core: `alone` is
// how many bytes one document after the other on every core would take, and nothing may take longer than that.
void run_long(Feed& feed, const Plan& plan, u64 alone) {
  Slot slots[STREAMS];
  size_t fair = (feed.count() + (size_t)plan.threads - 1) / (size_t)plan.threads;
  run_streams(advance_by(plan), [&](Slot* const* live, int count) -> Slot* {
    if (count && (size_t)count >= fair) return nullptr;
    u64 longest = feed.next_size();
    for (int i = 0; i < count; ++i) longest = std::max(longest, live[i]->document->size);
    if (count && (double)longest * SHARE_COST[count + 1] > (double)alone) return nullptr;
    for (Slot& slot : slots)
      if (!slot.document) return feed.fill(slot, plan.streams) ? &slot : nullptr;
    return nullptr;
  });
}

}  // namespace

void on_threads(int threads, const std::function<void(int)>& work) {
  std::exception_ptr failed;
  std::mutex failing;
  auto guarded = [&](int i) {
    try {
      work(i);
    } catch (...) {
      std::lock_guard<std::mutex> lock(failing);
      failed = std::current_exception();
    }
  };
  std::vector<std::thread> started;
  started.reserve((size_t)threads);
  try {
    for (int i = 1; i < threads; ++i) started.emplace_back(guarded, i);
  } catch (const std::exception&) {
    // No more threads, or no memory for one, to be had: those that run do all of it.
  }
  guarded(0);
  for (std::thread& thread : started) thread.join();
  if (failed) std::rethrow_exception(failed);
}

void look_at_files(Document* documents, size_t count, int threads) {
  std::atomic<size_t> next{0};
  on_threads(threads, [&](int) {
    for (size_t from; (from = next.fetch_add(FILES_AT_ONCE)) < count;)
      for (size_t i = from; i < std::min(from + FILES_AT_ONCE, count); ++i)
        if (documents[i].is_file() && !documents[i].error) documents[i].look();
  });
}

int worthwhile_threads(const Document* documents, size_t count, int threads) {
  u64 bytes = 0;
  size_t files = 0;
  for (size_t i = 0; i < count; ++i) {
    bytes += documents[i].size;
    files += documents[i].is_file();
  }
  u64 useful = std::max((u64)1, std::max(bytes / BYTES_PER_THREAD, (u64)(files / FILES_PER_THREAD)));
  return (int)std::min((u64)std::max(threads, 1), useful);
}

void hash_documents(Document* documents, size_t count, const Plan& asked) {
  Plan plan = asked;
  look_at_files(documents, count, worthwhile_threads(documents, count, asked.threads));
  plan.threads = worthwhile_threads(documents, count, asked.threads);
  std::vector<Document*> order = longest_first(documents, count);
  u64 total = 0;
  for (Document* document : order) total += document->size + 64;
  size_t many_long = count_long(order, total, plan);
  if (plan.leave_long)
    for (size_t i = 0; i < many_long; ++i) order[i]->error = LEFT;
  Feed few(order.data(), plan.leave_long ? 0 : many_long);
  Feed rest(order.data() + many_long, order.size() - many_long);
  u64 alone = order.empty() ? 0 : std::max(order[0]->size, total / (u64)plan.threads);
  on_threads(plan.threads, [&](int) {
    run_long(few, plan, alone);
    if (plan.lanes) run_lanes(rest, advance_by(plan));
  });
}
