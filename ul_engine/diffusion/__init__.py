"""Schedules, losses and samplers. Networks come in as callables; nothing here imports one."""
