"""Reactive audio graphs: the public names; the code stands in flow/, components/, runtime/."""
