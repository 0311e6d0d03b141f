"""The search for alpha, beta and gamma, and the study around it: plan, trainings, choice, family, answer.

The names stay in their modules, so that asking a question (`question`) loads no torch.
"""
