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

/// y = x w / rms(x), returns 1 / rms(x); y may be x.
float norm_row(const float* x, const float* w, Index C, float eps, float* y) {
  F16 squares = zero();
  for_lanes(C, [&](Index i, Index n) {
    const F16 v = load_lanes(x + i, n);
    squares = fma(v, v, squares);
  });
  const float mean = hsum(squares) / static_cast<float>(C);
  const float inv = 1.0F / __builtin_sqrtf(mean + eps);
  for_lanes(C, [&](Index i, Index n) {
    store_lanes(y + i, mul(mul(load_lanes(x + i, n), set1(inv)), load_lanes(w + i, n)), n);
  });
  return inv;
}

/// One row of a norm's backward pass: `put(i, n, d)` takes d loss / d x for n lanes from i.
template <class Put>
AHA_INLINE void norm_backward_row(const float* dy, const float* x, const float* w, float inv_rms,
                                  Index C, const Put& put) {
  const F16 inv = set1(inv_rms);
  F16 sum = zero();
  for_lanes(C, [&](Index i, Index n) {
    const F16 g = mul(load_lanes(dy + i, n), load_lanes(w + i, n));
    sum = fma(g, mul(load_lanes(x + i, n), inv), sum);
  });
  const F16 mean = set1(hsum(sum) / static_cast<float>(C));
  for_lanes(C, [&](Index i, Index n) {
    const F16 g = mul(load_lanes(dy + i, n), load_lanes(w + i, n));
    const F16 normed = mul(load_lanes(x + i, n), inv);
    put(i, n, sub(g, mul(normed, mean)));
  });
}

/// dw[i] += dy[i] x[i] / rms(x) for n lanes.
AHA_INLINE void add_norm_weight(const float* dy, const float* x, F16 inv, float* dw, Index n) {
  const F16 normed = mul(load_lanes(x, n), inv);
  store_lanes(dw, fma(load_lanes(dy, n), normed, load_lanes(dw, n)), n);
}

}  // namespace

void rms_norm(const Exec& exec, const RmsNorm& p) {
  run_ranges(exec, p.M, row_grain(p.C), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const float inv = norm_row(p.x + r * p.C, p.w, p.C, p.eps, p.y + r * p.C);
      if (p.inv_rms != nullptr) p.inv_rms[r] = inv;
    }
  });
}

void rms_norm_backward(const Exec& exec, const RmsNormBackward& p) {
  run_ranges(exec, p.M, row_grain(2 * p.C), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      float* dx = p.dx + r * p.C;
      norm_backward_row(p.dy + r * p.C, p.x + r * p.C, p.w, p.inv_rms[r], p.C,
                        [&](Index i, Index n, F16 d) {
                          store_lanes(dx + i, fma(set1(p.inv_rms[r]), d, load_lanes(dx + i, n)), n);
                        });
    }
  });
  // a piece owns columns, and walks the rows in their order
  const Index panels = ceil_div(p.C, 16);
  run_ranges(exec, panels, row_grain(16 * p.M), [&](Index begin, Index end) {
    const Index first = 16 * begin;
    const Index last = min_index(p.C, 16 * end);
    for (Index r = 0; r < p.M; ++r) {
      const F16 inv = set1(p.inv_rms[r]);
      const Index row = r * p.C + first;
      for_lanes(last - first, [&](Index i, Index n) {
        add_norm_weight(p.dy + row + i, p.x + row + i, inv, p.dw + first + i, n);
      });
    }
  });
}

void add_bias(const Exec& exec, const float* bias, Index M, Index N, float* y) {
  run_ranges(exec, M, row_grain(N), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      for_lanes(N, [&](Index i, Index n) {
        float* at = y + r * N + i;
        store_lanes(at, add(load_lanes(at, n), load_lanes(bias + i, n)), n);
      });
  });
}

void add_bias_backward(const Exec& exec, const float* dy, Index M, Index N, float* dbias) {
  // a piece owns columns, and walks the rows in their order
  run_ranges(exec, ceil_div(N, 16), row_grain(16 * M), [&](Index begin, Index end) {
    const Index first = 16 * begin;
    const Index last = min_index(N, 16 * end);
    for (Index r = 0; r < M; ++r)
      for_lanes(last - first, [&](Index i, Index n) {
        float* at = dbias + first + i;
        store_lanes(at, add(load_lanes(at, n), load_lanes(dy + r * N + first + i, n)), n);
      });
  });
}

void head_norm(const Exec& exec, const HeadNorm& p) {
  const Index heads = p.H + p.Hk;
  const Index width = (heads + p.Hk) * p.D;
  run_ranges(exec, p.M, row_grain(width), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      float* row = p.qkv + r * width;
      if (p.raw != nullptr)
        __builtin_memcpy(p.raw + r * heads * p.D, row, static_cast<std::size_t>(heads * p.D) * 4);
      for (Index h = 0; h < heads; ++h) {
        float* x = row + h * p.D;
        const float inv = norm_row(x, p.w + (h < p.H ? 0 : p.D), p.D, p.eps, x);
        if (p.inv_rms != nullptr) p.inv_rms[r * heads + h] = inv;
      }
    }
  });
}

void head_norm_backward(const Exec& exec, const HeadNormBackward& p) {
  const Index heads = p.H + p.Hk;
  const Index width = (heads + p.Hk) * p.D;
  // weights first, since dqkv is overwritten; a piece owns columns of q's or k's weights
  const Index panels = ceil_div(p.D, 16);
  run_ranges(exec, 2 * panels, row_grain(16 * p.M * heads / 2), [&](Index begin, Index end) {
    for (Index piece = begin; piece < end; ++piece) {
      const bool key = piece >= panels;
      const Index first = 16 * (key ? piece - panels : piece);
      float* dw = p.dw + (key ? p.D : 0) + first;
      for (Index r = 0; r < p.M; ++r)
        for (Index h = key ? p.H : 0; h < (key ? heads : p.H); ++h)
          add_norm_weight(p.dqkv + r * width + h * p.D + first,
                          p.raw + (r * heads + h) * p.D + first, set1(p.inv_rms[r * heads + h]), dw,
                          min_index(16, p.D - first));
    }
  });
  run_ranges(exec, p.M, row_grain(2 * width), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r)
      for (Index h = 0; h < heads; ++h) {
        float* d = p.dqkv + r * width + h * p.D;
        const float inv = p.inv_rms[r * heads + h];
        norm_backward_row(
            d, p.raw + (r * heads + h) * p.D, p.w + (h < p.H ? 0 : p.D), inv, p.D,
            [&](Index i, Index n, F16 dx) { store_lanes(d + i, mul(set1(inv), dx), n); });
      }
  });
}

void rope(const Exec& exec, const Rope& p) {
  const Index half = (p.rotary == 0 ? p.D : p.rotary) / 2;
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
      const float* gate = static_cast<const float*>(p.gate_up) + r * 2 * p.F;
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
      const float* gate = static_cast<const float*>(p.gate_up) + r * 2 * p.F;
      const float* dy = static_cast<const float*>(p.dy) + r * p.F;
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

void embed(const Exec& exec, const Weight& table, const std::int64_t* ids, Index M, Index C,
           float* out) {
  with_rows(table, [&](const auto* rows) {
    run_ranges(exec, M, row_grain(C), [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r)
        for_lanes(C, [&](Index i, Index n) {
          store_lanes(out + r * C + i, load_lanes(rows + ids[r] * C + i, n), n);
        });
    });
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
