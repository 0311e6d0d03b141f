"""Libraries that tell their makers how they are used are started with that switched off.

ONNX Runtime 1.32 for Linux was seen to keep an id of the device in the user's cache folder and to look for its maker's
server from the moment that it is imported. Ray and the client of the hub read their switches at their import too. So
the switches are set when triscale is imported, before anything that it starts. A switch that the user has set stays.
"""

import os

SWITCHES = (
    ("ORT_DISABLE_TELEMETRY", "1"),
    ("RAY_USAGE_STATS_ENABLED", "0"),
    ("HF_HUB_DISABLE_TELEMETRY", "1"),
    ("HF_HUB_DISABLE_UPDATE_CHECK", "1"),
)
"""Variables of the environment with what switches reports off; OpenVINO has none, see `engines.openvino_cpu`."""


def report_none() -> None:
    """Set the switches for this process and those that it starts."""
    for name, value in SWITCHES:
        os.environ.setdefault(name, value)
