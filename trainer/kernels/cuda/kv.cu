// Blocks of keys and values: written, read back as gradients, copied, folded.
#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/kv_store.h"

namespace aha::cuda {
namespace {

/// The key and the value of (row, kv head, dimension): where they lie in a row, and which elements of the store they are.
struct Place {
  float *row_key, *row_value;
  Index key, value;
};

AHA_DEVICE Place place(float* qkv, Index H, const KvRows& rows, const KvStore& kv, Index item) {
  const Index d = item % kv.D;
  const Index h = item / kv.D % kv.Hk;
  const Index r = item / kv.D / kv.Hk;
  const Index position = rows.positions[r];
  const Index lane = position % kKvBlock;
  float* row = qkv + (r * (H + 2 * kv.Hk) + H + h) * kv.D + d;
  const Index head = kv_head_at(kv, rows.tables[r][position / kKvBlock], h);
  return {row, row + kv.Hk * kv.D, head + d * kKvBlock + lane, head + (kKvBlock + lane) * kv.D + d};
}

__global__ void write_elements(float* qkv, Index H, KvRows rows, KvStore kv) {
  const Index item = element();
  if (item >= rows.M * kv.Hk * kv.D) return;
  const Place at = place(qkv, H, rows, kv, item);
  put_kv_element(kv, at.key, *at.row_key);
  put_kv_element(kv, at.value, *at.row_value);
}

__global__ void read_elements(float* qkv, Index H, KvRows rows, KvStore kv) {
  const Index item = element();
  if (item >= rows.M * kv.Hk * kv.D) return;
  const Place at = place(qkv, H, rows, kv, item);
  *at.row_key = kv_element(kv, at.key);
  *at.row_value = kv_element(kv, at.value);
}

/// Lane of an element of a block.
AHA_DEVICE Index lane_of(const KvStore& kv, Index e) {
  const Index in_head = e % KvStore::head_size(kv.D);
  const Index values = kv.D * kKvBlock;
  return in_head < values ? in_head % kKvBlock : (in_head - values) / kv.D;
}

__global__ void copy_elements(KvStore kv, const KvCopy* copies, Index n) {
  const Index item = element();
  const Index size = kv_block_size(kv);
  if (item >= n * size) return;
  const KvCopy copy = copies[item / size];
  const Index e = item % size;
  if (lane_of(kv, e) < copy.lanes)
    put_kv_element(kv, copy.to * size + e, kv_element(kv, copy.from * size + e));
}

/// The first of the copies of a block adds those of all, in their order.
__global__ void fold_elements(KvStore kv, const KvCopy* copies, Index n) {
  const Index item = element();
  const Index size = kv_block_size(kv);
  if (item >= n * size) return;
  Index i = item / size;
  const std::int32_t from = copies[i].from;
  if (i > 0 && copies[i - 1].from == from) return;
  const Index e = item % size;
  float sum = kv_element(kv, from * size + e);
  for (; i < n && copies[i].from == from; ++i)
    if (lane_of(kv, e) < copies[i].lanes) sum += kv_element(kv, copies[i].to * size + e);
  put_kv_element(kv, from * size + e, sum);
}

}  // namespace

void kv_write(const Exec&, const float* qkv, Index H, const KvRows& rows, const KvStore& kv) {
  launch(over(rows.M * kv.Hk * kv.D), write_elements, const_cast<float*>(qkv), H, rows, kv);
}

void kv_read_grad(const Exec&, float* dqkv, Index H, const KvRows& rows, const KvStore& kv) {
  launch(over(rows.M * kv.Hk * kv.D), read_elements, dqkv, H, rows, kv);
}

void kv_copy(const Exec&, const KvStore& kv, const KvCopy* copies, Index n) {
  launch(over(n * kv_block_size(kv)), copy_elements, kv, copies, n);
}

void kv_fold_grad(const Exec&, const KvStore& kv, const KvCopy* copies, Index n) {
  launch(over(n * kv_block_size(kv)), fold_elements, kv, copies, n);
}

}  // namespace aha::cuda
