package dev.apus.kernels.math;

import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector species of every kernel, chosen once: as wide as this machine prefers, at most 512
 * bits. Only the Vector API forms may touch this class; it does not load without the incubator
 * module.
 */
@SuppressWarnings("exports") // public for the packages of this module only
public final class Lanes {

  private static final int BITS =
      Math.clamp(VectorShape.preferredShape().vectorBitSize(), 128, 512);

  public static final VectorSpecies<Float> F32 =
      VectorSpecies.of(float.class, VectorShape.forBitSize(BITS));

  /** As many lanes as {@link #F32}. */
  public static final VectorSpecies<Integer> I32 =
      VectorSpecies.of(int.class, VectorShape.forBitSize(BITS));

  /** As many lanes as {@link #F32}, in half the bits. */
  public static final VectorSpecies<Short> I16 =
      VectorSpecies.of(short.class, VectorShape.forBitSize(BITS / 2));

  /** As many bits as {@link #F32}, so four lanes for each of its lanes. */
  public static final VectorSpecies<Byte> I8 =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(BITS));

  /** A byte for each lane of {@link #F32}, or eight where that has only four. */
  public static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, BITS / 4)));

  private Lanes() {}
}
