"""A Hugging Face folder of a Llama-type model as an F32 GGUF file, for llama.cpp.

llama.cpp turns adjacent pairs of a head where Hugging Face turns its halves, so the rows of q and k change
places. The tokenizer is written as far as llama.cpp asks for one to load: prompts are given as ids.
"""
import json

NAMES = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
         "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def gguf_name(name):
    if name.startswith("model.layers."):
        index, rest = name[len("model.layers."):].split(".", 1)
        return f"blk.{index}.{NAMES[rest.removesuffix('.weight')]}.weight"
    return {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}[name]


def in_pairs(rows, heads):
    """[heads x (first half, second half), C] -> rows of a pair side by side."""
    return rows.reshape(heads, 2, -1, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def write_gguf(folder, path):
    import gguf
    from safetensors.numpy import load_file

    c, tokenizer = (json.load(open(f"{folder}/{name}")) for name in ("config.json", "tokenizer.json"))
    heads, kv_heads = c["num_attention_heads"], c["num_key_value_heads"]
    out = gguf.GGUFWriter(path, "llama")
    out.add_context_length(c["max_position_embeddings"])
    out.add_embedding_length(c["hidden_size"])
    out.add_block_count(c["num_hidden_layers"])
    out.add_feed_forward_length(c["intermediate_size"])
    out.add_head_count(heads)
    out.add_head_count_kv(kv_heads)
    out.add_layer_norm_rms_eps(c["rms_norm_eps"])
    out.add_rope_freq_base(c["rope_theta"])
    out.add_rope_dimension_count(c["hidden_size"] // heads)
    out.add_vocab_size(c["vocab_size"])
    ids = dict(tokenizer["model"]["vocab"], **{t["content"]: t["id"] for t in tokenizer["added_tokens"]})
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("smollm")
    out.add_token_list(sorted(ids, key=ids.get))
    out.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]])
    out.add_eos_token_id(c["eos_token_id"])
    for name, tensor in load_file(f"{folder}/model.safetensors").items():
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            tensor = in_pairs(tensor, heads if "q_proj" in name else kv_heads)
        out.add_tensor(gguf_name(name), tensor)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
