"""Prints the numbers about scoring and the loop, one benchmark after the other: `python -m benchmarks.run`.

The connectors' numbers come from `python -m benchmarks.sync` and `python -m benchmarks.faults`.
"""

from benchmarks import cdnow, loop, loop_quality, repeat_purchase

if __name__ == "__main__":
    print("## Repeat purchase: `python -m benchmarks.repeat_purchase`\n", flush=True)
    repeat_purchase.main()
    print("\n## CDNOW: `python -m benchmarks.cdnow`\n", flush=True)
    cdnow.main()
    print("\n## Feedback and tags: `python -m benchmarks.loop_quality`\n", flush=True)
    loop_quality.main()
    print("\n## The whole loop: `python -m benchmarks.loop`", flush=True)
    loop.main()
