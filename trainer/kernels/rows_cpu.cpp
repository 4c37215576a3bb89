#include "trainer/kernels/isa.h"

namespace aha::AHA_ISA {
namespace {

/// Rows of a piece: about this many floats each, so that a piece outweighs its start.
Index row_grain(Index floats_per_row) {
  return max_index(1, 16384 / max_index(1, floats_per_row));
}

void rotate(float* x, const float* cos, const float* sin, Index half, bool inverse) {
  for_lanes(half, [&](Index i, Index n) {
    const F16 a = load_lanes(x + i, n);
    const F16 b = load_lanes(x + half + i, n);
    const F16 c = load_lanes(cos + i, n);
    F16 s = load_lanes(sin + i, n);
    if (inverse) s = neg(s);
    store_lanes(x + i, fma(a, c, neg(mul(b, s))), n);
    store_lanes(x + half + i, fma(b, c, mul(a, s)), n);
  });
}

AHA_INLINE F16 sigmoid(F16 x) {
  return div(set1(1.0F), add(set1(1.0F), exp(neg(x))));
}

void norm_backward_row(const RmsNormBackward& p, Index row) {
  const float* x = p.x + row * p.C;
  const float* dy = p.dy + row * p.C;
  float* dx = p.dx + row * p.C;
  const F16 inv = set1(p.inv_rms[row]);
  F16 sum = zero();
  for_lanes(p.C, [&](Index i, Index n) {
    const F16 g = mul(load_lanes(dy + i, n), load_lanes(p.w + i, n));
    sum = fma(g, mul(load_lanes(x + i, n), inv), sum);
  });
  const F16 mean = set1(hsum(sum) / static_cast<float>(p.C));
  for_lanes(p.C, [&](Index i, Index n) {
    const F16 g = mul(load_lanes(dy + i, n), load_lanes(p.w + i, n));
    const F16 normed = mul(load_lanes(x + i, n), inv);
    const F16 d = sub(g, mul(normed, mean));
    store_lanes(dx + i, fma(inv, d, load_lanes(dx + i, n)), n);
  });
}

}  // namespace

void rms_norm(const Exec& exec, const RmsNorm& p) {
  run_ranges(exec, p.M, row_grain(p.C), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const float* x = p.x + r * p.C;
      float* y = p.y + r * p.C;
      F16 squares = zero();
      for_lanes(p.C, [&](Index i, Index n) {
        const F16 v = load_lanes(x + i, n);
        squares = fma(v, v, squares);
      });
      const float mean = hsum(squares) / static_cast<float>(p.C);
      const float inv = 1.0F / __builtin_sqrtf(mean + p.eps);
      if (p.inv_rms != nullptr) p.inv_rms[r] = inv;
      for_lanes(p.C, [&](Index i, Index n) {
        store_lanes(y + i, mul(mul(load_lanes(x + i, n), set1(inv)), load_lanes(p.w + i, n)), n);
      });
    }
  });
}

void rms_norm_backward(const Exec& exec, const RmsNormBackward& p) {
  run_ranges(exec, p.M, row_grain(2 * p.C), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      norm_backward_row(p, r);
  });
  // a piece owns columns, and walks the rows in their order
  const Index panels = ceil_div(p.C, 16);
  run_ranges(exec, panels, row_grain(16 * p.M), [&](Index begin, Index end) {
    const Index last = min_index(p.C, 16 * end);
    for (Index r = 0; r < p.M; ++r) {
      const F16 inv = set1(p.inv_rms[r]);
      const Index row = r * p.C + 16 * begin;
      for_lanes(last - 16 * begin, [&](Index i, Index n) {
        const F16 normed = mul(load_lanes(p.x + row + i, n), inv);
        float* dw = p.dw + 16 * begin + i;
        store_lanes(dw, fma(load_lanes(p.dy + row + i, n), normed, load_lanes(dw, n)), n);
      });
    }
  });
}

void rope(const Exec& exec, const Rope& p) {
  const Index half = p.D / 2;
  const Index width = (p.H + 2 * p.Hk) * p.D;
  run_ranges(exec, p.M, row_grain(width), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const float* cos = p.cos + p.positions[r] * half;
      const float* sin = p.sin + p.positions[r] * half;
      for (Index h = 0; h < p.H + p.Hk; ++h)
        rotate(p.qkv + r * width + h * p.D, cos, sin, half, p.inverse);
    }
  });
}

void swiglu(const Exec& exec, const Swiglu& p) {
  run_ranges(exec, p.M, row_grain(4 * p.F), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const float* gate = p.gate_up + r * 2 * p.F;
      float* y = p.y + r * p.F;
      for_lanes(p.F, [&](Index i, Index n) {
        const F16 g = load_lanes(gate + i, n);
        store_lanes(y + i, mul(mul(g, sigmoid(g)), load_lanes(gate + p.F + i, n)), n);
      });
    }
  });
}

void swiglu_backward(const Exec& exec, const SwigluBackward& p) {
  run_ranges(exec, p.M, row_grain(6 * p.F), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const float* gate = p.gate_up + r * 2 * p.F;
      const float* dy = p.dy + r * p.F;
      float* dgate = p.dgate_up + r * 2 * p.F;
      for_lanes(p.F, [&](Index i, Index n) {
        const F16 g = load_lanes(gate + i, n);
        const F16 up = load_lanes(gate + p.F + i, n);
        const F16 d = load_lanes(dy + i, n);
        const F16 s = sigmoid(g);
        const F16 slope = mul(s, fma(g, sub(set1(1.0F), s), set1(1.0F)));
        store_lanes(dgate + i, mul(mul(d, up), slope), n);
        const F16 silu = mul(g, s);
        store_lanes(dgate + p.F + i, mul(d, silu), n);
        if (p.y != nullptr) store_lanes(p.y + r * p.F + i, mul(silu, up), n);
      });
    }
  });
}

void embed(const Exec& exec, const float* table, const std::int64_t* ids, Index M, Index C,
           float* out) {
  run_ranges(exec, M, row_grain(C), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      __builtin_memcpy(out + r * C, table + ids[r] * C, static_cast<std::size_t>(C) * 4);
  });
}

void embed_backward(const Exec& exec, const float* dout, const std::int64_t* ids, Index M, Index C,
                    float* dtable) {
  // a piece owns columns: rows that share an id are added in their order
  const Index panels = ceil_div(C, 16);
  run_ranges(exec, panels, row_grain(16 * M), [&](Index begin, Index end) {
    const Index first = 16 * begin;
    const Index last = min_index(C, 16 * end);
    for (Index r = 0; r < M; ++r) {
      const float* from = dout + r * C + first;
      float* to = dtable + ids[r] * C + first;
      for_lanes(last - first, [&](Index i, Index n) {
        store_lanes(to + i, add(load_lanes(to + i, n), load_lanes(from + i, n)), n);
      });
    }
  });
}

}  // namespace aha::AHA_ISA
