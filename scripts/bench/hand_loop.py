"""The best generation loop that plain torch gives for a Llama: no modules, fused q/k/v and gate/up
weights, keys and values written into tensors of their final size (a static cache), no padding (all prompts
are equally long), log-softmax only through the sampler. Two ways to attend, the faster one counts.
"""
import torch
import torch.nn.functional as F


class HandLoop:
    def __init__(self, model):
        c, w = model.config, {name: value.detach() for name, value in model.state_dict().items()}
        self.heads, self.kv_heads, self.width, self.eps = c.num_attention_heads, c.num_key_value_heads, c.hidden_size, c.rms_norm_eps
        self.head_dim = self.width // self.heads
        self.embed, self.norm = w["model.embed_tokens.weight"], w["model.norm.weight"]
        self.head = w.get("lm_head.weight", self.embed)
        self.layers = []
        for i in range(c.num_hidden_layers):
            at = lambda name: w[f"model.layers.{i}.{name}.weight"]
            self.layers.append((
                at("input_layernorm"), torch.cat([at(f"self_attn.{x}_proj") for x in "qkv"]), at("self_attn.o_proj"),
                at("post_attention_layernorm"), torch.cat([at("mlp.gate_proj"), at("mlp.up_proj")]), at("mlp.down_proj")))
        frequency = 1.0 / c.rope_parameters["rope_theta"] ** (torch.arange(0, self.head_dim, 2).float() / self.head_dim)
        angle = torch.arange(c.max_position_embeddings).float()[:, None] * frequency
        self.cos, self.sin = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)

    def rotated(self, x, begin, end):
        a, b = x.chunk(2, -1)
        return x * self.cos[begin:end] + torch.cat([-b, a], -1) * self.sin[begin:end]

    def attend(self, q, k, v, causal, products):
        if products and self.heads == self.kv_heads:
            weights = (q @ k.transpose(2, 3) * self.head_dim**-0.5).softmax(-1)
            return weights @ v
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=self.heads != self.kv_heads)

    def logits(self, ids, begin, cache, products):
        """ids [B, T] at positions begin.. -> logits [B, V] of the last."""
        rows, length = ids.shape
        end = begin + length
        x = F.embedding(ids, self.embed)
        for (input_norm, qkv, o, post_norm, gate_up, down), (keys, values) in zip(self.layers, cache):
            y = F.linear(F.rms_norm(x, (self.width,), input_norm, self.eps), qkv).view(rows, length, -1, self.head_dim).transpose(1, 2)
            q, k, v = y.split([self.heads, self.kv_heads, self.kv_heads], 1)
            keys[:, :, begin:end] = self.rotated(k, begin, end)
            values[:, :, begin:end] = v
            y = self.attend(self.rotated(q, begin, end), keys[:, :, :end], values[:, :, :end], length > 1, products and length == 1)
            x = x + F.linear(y.transpose(1, 2).reshape(rows, length, self.width), o)
            gate, up = F.linear(F.rms_norm(x, (self.width,), post_norm, self.eps), gate_up).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, down)
        return F.linear(F.rms_norm(x[:, -1], (self.width,), self.norm, self.eps), self.head)

    @torch.inference_mode()
    def generate(self, ids, new, forbidden=(), products=False):
        """prompts [B, P] -> sampled ids [B, new] at temperature 1; `forbidden` ids are never drawn."""
        rows, prompt = ids.shape
        shape = (rows, self.kv_heads, prompt + new, self.head_dim)
        cache = [(torch.empty(shape), torch.empty(shape)) for _ in self.layers]
        out = torch.empty(rows, new, dtype=torch.long)
        logits = self.logits(ids, 0, cache, products)
        for t in range(new):
            logits[:, list(forbidden)] = -float("inf")
            out[:, t] = torch.multinomial(logits.softmax(-1), 1)[:, 0]
            if t + 1 < new:
                logits = self.logits(out[:, t : t + 1], prompt + t, cache, products)
        return out
