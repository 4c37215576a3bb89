#!/usr/bin/env python3
"""Writes verl/log.jsonl: python make_verl_golden.py (in this folder).

What verl's own file logger writes of what verl's own functions compute, over three steps of made-up answers: rewards,
lengths, times, two validations. The metrics of its workers, which need GPUs, are numbers with the workers' names.
Needs verl, of which a checkout and `ray`, `tensordict` and `orjson` are enough.
"""
import os
import pathlib
import random

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
os.environ["VERL_FILE_LOGGER_PATH"] = str(HERE / "verl" / "log.jsonl")

from verl import DataProto  # noqa: E402
from verl.trainer.ppo.metric_utils import (compute_data_metrics, compute_throughout_metrics, compute_timing_metrics,  # noqa: E402
                                           process_validation_metrics)
from verl.utils.tracking import FileLogger  # noqa: E402

ANSWERS, LONGEST = 16, 12
random.seed(0)
torch.manual_seed(0)


def training(step):
    """A batch of answers of which a quarter more is right each step."""
    lengths = torch.randint(1, LONGEST + 1, (ANSWERS,))
    mask = torch.arange(LONGEST)[None] < lengths[:, None]
    right = (torch.arange(ANSWERS) < 4 * step).float()
    scores = torch.zeros(ANSWERS, LONGEST)
    scores[torch.arange(ANSWERS), lengths - 1] = right
    advantages = (right - right.mean())[:, None] * mask
    batch = DataProto.from_dict(tensors={
        "prompts": torch.ones(ANSWERS, 4, dtype=torch.long), "responses": torch.ones(ANSWERS, LONGEST, dtype=torch.long),
        "attention_mask": torch.cat([torch.ones(ANSWERS, 4, dtype=torch.bool), mask], 1).long(), "response_mask": mask.long(),
        "token_level_scores": scores, "token_level_rewards": scores, "advantages": advantages, "returns": advantages})
    batch.meta_info["global_token_num"] = (lengths + 4).tolist()
    times = {"gen": 2.0 + step, "reward": 0.5, "old_log_prob": 0.25, "update_actor": 3.0, "step": 6.0 + step}
    worker = {"actor/entropy": 1.5 / step, "actor/loss": 0.02 * step, "actor/pg_loss": 0.01 * step, "actor/pg_clipfrac": 0.0, "actor/grad_norm": 1.25, "actor/lr": 1e-6,
              "training/global_step": step, "training/epoch": 0}
    return {**worker, **compute_data_metrics(batch, use_critic=False), **compute_timing_metrics(batch, times),
            **compute_throughout_metrics(batch, times, n_gpus=2)}


def validation(share):
    """Four answers to each of 8 problems of two sets: one with a field acc, one with a reward alone."""
    metrics = {}
    for source, name in (("math", "acc"), ("openai/gsm8k", "reward")):
        problems = [f"{source} {i // 4}" for i in range(32)]
        values = [float(random.random() < share) for _ in problems]
        for variable, numbers in process_validation_metrics([source] * 32, problems, {name: values})[source].items():
            for statistic, value in numbers.items():
                core = statistic.startswith(("mean", "best")) and "@4" in statistic
                metrics[f"val-{'core' if core else 'aux'}/{source}/{variable}/{statistic}"] = value
    return metrics


def main():
    (HERE / "verl").mkdir(exist_ok=True)
    logger = FileLogger("project", "experiment")
    logger.log(validation(0.25), 0)
    for step in (1, 2, 3):
        logger.log(training(step) | (validation(0.75) if step == 3 else {}), step)
    logger.finish()


if __name__ == "__main__":
    main()
