#!/usr/bin/env python3
"""Writes the goldens beside it: small GGUF files and what other software makes of them.

Run from anywhere with gguf, numpy, torch, transformers, tokenizers and safetensors installed:
    python tests/golden/gguf/make_golden.py
The tests never run it; versions.json names what it ran with. README.md names every file.
"""
import json
import pathlib
from importlib.metadata import version

import gguf
import numpy as np
import torch
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

OUT = pathlib.Path(__file__).resolve().parent
TYPES = [Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1,
         Type.Q4_K, Type.Q6_K]
# where a block keeps f16 scales: their bits are drawn among finite numbers
HALVES = {Type.F16: [0], Type.Q8_0: [0], Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0],
          Type.Q5_1: [0, 2], Type.Q4_K: [0, 2], Type.Q6_K: [208]}
C, F, L, H, K, POSITIONS = 256, 64, 2, 8, 4, 128
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
            "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
            "{% endif %}")
TEXTS = ["", " ", "the quick brown fox", "In 1984, 12345 people's cats said: \"it's 3.14!\"",
         "  two  spaces\n\n\tand a tab ", "naïve café, Ünïcode, 数学 и мир 🙂", "²³½ ٣٤",
         "<|im_start|>user\nHi<|im_end|>\n", "don't we'll I'M THEY'RE", "a\r\nb \r\n  c", "x = (y+1)*z_2; // #1"]


def random_blocks(random, kind, blocks):
    """Blocks of random bits."""
    if kind == Type.F32:
        return random.normal(size=blocks).astype("<f4").view(np.uint8)
    size = GGML_QUANT_SIZES[kind][1]
    data = random.integers(0, 256, size=(blocks, size), dtype=np.uint8)
    for at in HALVES.get(kind, []):
        bits = random.integers(0, 0x7c00, size=blocks).astype("<u2")
        bits |= random.integers(0, 2, size=blocks).astype("<u2") << 15
        data[:, at:at + 2] = bits.reshape(-1, 1).view(np.uint8)
    if kind == Type.BF16:
        data[:, 1] &= 0xbf  # no NaN or Inf
    return data.reshape(-1)


def quants():
    """quants.gguf: 2 rows of random bits of each type; quants.safetensors: their values."""
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(OUT / "quants.gguf", "none")
    # every type of value
    writer.add_uint8("a.u8", 200)
    writer.add_int8("a.i8", -100)
    writer.add_uint16("a.u16", 60000)
    writer.add_int16("a.i16", -30000)
    writer.add_uint32("a.u32", 4000000000)
    writer.add_int32("a.i32", -2000000000)
    writer.add_uint64("a.u64", 2**63 + 5)
    writer.add_int64("a.i64", -2**62)
    writer.add_float32("a.f32", 1e-5)
    writer.add_float64("a.f64", 0.1)
    writer.add_bool("a.bool", True)
    writer.add_string("a.text", "häuser")
    writer.add_array("a.texts", ["one", "", "drei"])
    writer.add_array("a.numbers", [1, -2, 3])
    writer.add_array("a.nested", [[1, 2], [3]])
    values = {}
    for kind in TYPES:
        block = GGML_QUANT_SIZES[kind][0]
        columns = max(block, 32)
        data = random_blocks(random, kind, 2 * columns // block).reshape(2, -1)
        if kind == Type.F32:
            data = data.view(np.float32)
        if kind == Type.F16:
            data = data.view(np.float16)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        values[kind.name] = dequantize(data, kind).reshape(2, columns)
    close(writer)
    save_file(values, OUT / "quants.safetensors", metadata={"gguf": version("gguf")})


def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tokenizer(pre):
    """A byte-level BPE of this document, with SmolLM's pre-tokenizer."""
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre
    tok.decoder = decoders.ByteLevel()
    # not all bytes are in the alphabet: SmolLM's lacks some too
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())[:230])
    corpus = [pathlib.Path(__file__).read_text()] * 2 + ["the quick brown fox the people said it's"]
    tok.train_from_iterator(corpus, trainer)
    return tok


def permuted(weights, heads):
    """GGUF's order of the rows of q and k: pairs (i, i + D/2) are neighbours."""
    rows, columns = weights.shape
    return weights.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def tiny():
    """tiny.gguf: a Llama of 2 layers whose matrices have each a type; what transformers says of it."""
    pre = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                   pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tok = tokenizer(pre)
    state = json.loads(tok.to_str())["model"]
    tokens = [t for t, _ in sorted(state["vocab"].items(), key=lambda item: item[1])]
    rows = len(tokens) + 4  # padded, as many vocabularies are
    config = LlamaConfig(vocab_size=rows, hidden_size=C, intermediate_size=F, num_hidden_layers=L,
                         num_attention_heads=H, num_key_value_heads=K, max_position_embeddings=POSITIONS,
                         rope_theta=50000.0, rms_norm_eps=1e-5, tie_word_embeddings=True,
                         bos_token_id=1, eos_token_id=2, pad_token_id=2)
    model = LlamaForCausalLM(config)
    random = np.random.default_rng(2)
    kinds = iter([Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q4_K, Type.Q6_K, Type.F16] * 2)

    writer = gguf.GGUFWriter(OUT / "tiny.gguf", "llama")
    writer.add_block_count(L)
    writer.add_context_length(POSITIONS)
    writer.add_embedding_length(C)
    writer.add_feed_forward_length(F)
    writer.add_head_count(H)
    writer.add_head_count_kv(K)
    writer.add_rope_freq_base(50000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(C // H)
    writer.add_vocab_size(rows)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    pads = [f"[PAD{i}]" for i in range(len(tokens), rows)]
    writer.add_token_list(tokens + pads)
    writer.add_token_types([3] * len(SPECIAL) + [1] * (len(tokens) - len(SPECIAL)) + [5] * len(pads))
    writer.add_token_merges([" ".join(m) for m in state["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, L)
    expected = {}
    with torch.no_grad():
        for name, p in model.named_parameters():
            values = random.normal(size=tuple(p.shape)).astype(np.float32)
            values = 1 + 0.1 * values if p.dim() == 1 else 0.05 * values
            kind = Type.F32 if p.dim() == 1 else Type.Q8_0 if "embed" in name else next(kinds)
            heads = H if "q_proj" in name else K if "k_proj" in name else 0
            stored = permuted(values, heads) if heads else values
            if kind in (Type.Q4_K, Type.Q6_K):  # the package cannot make these: random bits, small scales
                data = random_blocks(random, kind, values.size // 256)
                blocks = data.reshape(-1, GGML_QUANT_SIZES[kind][1])
                for at in HALVES[kind]:
                    blocks[:, at:at + 2] = np.full((len(blocks), 1), 2e-5, "<f2").view(np.uint8)
                data = data.reshape(values.shape[0], -1)
            else:
                data = quantize(stored, kind)
            writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), data, raw_dtype=kind)
            back = dequantize(data, kind).reshape(values.shape)
            if heads:
                d = values.shape[0] // heads
                back = back.reshape(heads, d // 2, 2, -1).swapaxes(1, 2).reshape(values.shape)
            expected[name] = np.ascontiguousarray(back, dtype=np.float32)
            p.copy_(torch.from_numpy(expected[name]))
    close(writer)
    save_file({f"{name}.sum": np.array([v.astype(np.float64).sum()], np.float32) for name, v in expected.items()}
              | {f"{name}.rows": v.reshape(v.shape[0], -1)[::61].copy() for name, v in expected.items()},
              OUT / "tiny_weights.safetensors", metadata={"gguf": version("gguf")})

    ids = torch.from_numpy(random.integers(0, len(tokens), size=(1, 24)))
    log_p = torch.log_softmax(model.double()(ids).logits, -1)
    answers = {"ids": ids[0].tolist(),
               "logprobs": log_p[0, :-1].gather(-1, ids[0, 1:, None])[:, 0].tolist(),
               "texts": [{"text": t, "ids": tok.encode(t).ids} for t in TEXTS]}
    (OUT / "tiny.json").write_text(json.dumps(answers, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    quants()
    tiny()
    used = ["gguf", "numpy", "torch", "transformers", "tokenizers", "safetensors"]
    (OUT / "versions.json").write_text(json.dumps({n: version(n).split("+")[0] for n in used}, indent=1) + "\n")
