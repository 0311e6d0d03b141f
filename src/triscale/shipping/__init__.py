"""From images and limits to a file that keeps them: baseline, scaling, training, export and test, one after the other.

Names stay in their modules, so that asking a question (`fit_question`) loads no torch.
"""
