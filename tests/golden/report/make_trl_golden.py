#!/usr/bin/env python3
"""Writes trl/trainer_state.json: python make_trl_golden.py (in this folder).

The log of TRL's own GRPOTrainer: 24 steps of a tiny Qwen2 with random weights that is rewarded for saying the
number which it was asked for, evaluated every 8 steps. Nothing is changed but the order of keys and the time.
Needs trl and what it needs; a minute of a processor.
"""
import json
import pathlib
import tempfile
from importlib.metadata import version

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
from trl import GRPOConfig, GRPOTrainer

HERE = pathlib.Path(__file__).parent
WORDS = ["<pad>", "<eos>", "say"] + [str(i) for i in range(8)]


def accuracy_reward(completions, answer, **_):
    return [float(text.split()[:1] == [wanted]) for text, wanted in zip(completions, answer)]


def brevity_reward(completions, **_):
    return [1.0 / (1 + len(text.split())) for text in completions]


def rows(count):
    return Dataset.from_list([{"prompt": f"say {i % 8}", "answer": str(i % 8)} for i in range(count)])


def main():
    torch.manual_seed(0)
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<pad>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", padding_side="left")
    model = Qwen2ForCausalLM(Qwen2Config(
        vocab_size=len(WORDS), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=64, tie_word_embeddings=True, eos_token_id=1, pad_token_id=0))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(f"{folder}/model")  # with beta, TRL reads it once more as the reference
        config = GRPOConfig(
            output_dir=folder, max_steps=24, logging_steps=1, eval_strategy="steps", eval_steps=8, eval_on_start=True,
            per_device_train_batch_size=64, per_device_eval_batch_size=64, num_generations=8, max_completion_length=6,
            reward_weights=[1.0, 0.2], learning_rate=1e-2, lr_scheduler_type="constant", beta=0.001, bf16=False, gradient_checkpointing=False,
            save_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True, seed=0)
        trainer = GRPOTrainer(f"{folder}/model", [accuracy_reward, brevity_reward], config, rows(64), rows(8), tokenizer)
        trainer.train()
        trainer.save_state()
        state = json.loads(pathlib.Path(folder, "trainer_state.json").read_text())
    state["made_with"] = {name: version(name) for name in ("trl", "transformers", "torch")}
    out = HERE / "trl" / "trainer_state.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(state, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
