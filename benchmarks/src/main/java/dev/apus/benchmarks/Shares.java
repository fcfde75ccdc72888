package dev.apus.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Which part of each of the {@link Ceilings} was reached; 1 is all of it. */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class Shares {
  public double ofBandwidth;
  public double ofFlops;

  public Shares() {}
}
