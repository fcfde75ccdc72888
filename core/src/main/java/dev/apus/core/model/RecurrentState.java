package dev.apus.core.model;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a recurrence remembers: memory of constant size, zero at first, in regions of equal pieces.
 * A piece is what one thread changes at a time, such as the matrix of a head.
 *
 * <p>A mark copies when something is about to change, not when it is made: a piece that is copied
 * just before a kernel reads and writes it is copied by the thread, and into the caches, that need
 * it next. So whoever changes a piece calls {@link #keep(int, int)} before, and {@link #changed}
 * when every piece has been kept.
 */
public final class RecurrentState implements MixerState {

  /** Regions begin at multiples of this many bytes. */
  private static final long ALIGNMENT = 64;

  /**
   * A part of the memory.
   *
   * @param pieces how many parts of it change independently
   * @param floats values of each piece
   */
  public record Region(int pieces, long floats) {

    long pieceBytes() {
      return floats * Float.BYTES;
    }

    long bytes() {
      return pieces * pieceBytes();
    }
  }

  private final Region[] regions;
  private final long[] starts;
  private final NativeFloats memory;

  /** Marks that have not yet copied all of the state as they know it. */
  private final List<Copied> due = new ArrayList<>();

  private RecurrentState(Region[] regions, long[] starts, NativeFloats memory) {
    this.regions = regions;
    this.starts = starts;
    this.memory = memory;
  }

  /** The memory of a sequence that has not begun. */
  public static RecurrentState of(Region... regions) {
    long[] starts = new long[regions.length];
    long end = 0;
    for (int i = 0; i < regions.length; i++) {
      starts[i] = Math.ceilDiv(end, ALIGNMENT) * ALIGNMENT;
      end = starts[i] + regions[i].bytes();
    }
    return new RecurrentState(regions.clone(), starts, NativeFloats.ofBytes(end));
  }

  /** All regions. */
  public MemorySegment segment() {
    return memory.segment();
  }

  /** The byte of {@link #segment} where a region begins. */
  public long at(int region) {
    return starts[region];
  }

  /** The byte of {@link #segment} where a piece of a region begins. */
  public long at(int region, int piece) {
    return starts[region] + piece * regions[region].pieceBytes();
  }

  /** Must be called before a piece changes; different pieces may be kept at a time. */
  public void keep(int region, int piece) {
    for (Copied mark : due) {
      mark.keep(region, piece);
    }
  }

  /** Must be called before any piece of a region changes. */
  public void keep(int region) {
    for (int piece = 0; piece < regions[region].pieces(); piece++) {
      keep(region, piece);
    }
  }

  /** Must be called when all pieces have been kept and changed. */
  public void changed() {
    due.clear();
  }

  private final class Copied implements Mark {

    private final float[][] then = new float[regions.length][];
    private final boolean[][] kept = new boolean[regions.length][];

    Copied() {
      for (int i = 0; i < regions.length; i++) {
        then[i] = new float[Math.toIntExact(regions[i].bytes() / Float.BYTES)];
        kept[i] = new boolean[regions[i].pieces()];
      }
    }

    Copied arm() {
      for (boolean[] region : kept) {
        Arrays.fill(region, false);
      }
      due.add(this);
      return this;
    }

    void keep(int region, int piece) {
      if (!kept[region][piece]) {
        long bytes = regions[region].pieceBytes();
        MemorySegment copy = MemorySegment.ofArray(then[region]);
        MemorySegment.copy(segment(), at(region, piece), copy, piece * bytes, bytes);
        kept[region][piece] = true;
      }
    }

    @Override
    public void rewind() {
      keepForOthers(this);
      for (int region = 0; region < regions.length; region++) {
        long bytes = regions[region].pieceBytes();
        MemorySegment copy = MemorySegment.ofArray(then[region]);
        for (int piece = 0; piece < regions[region].pieces(); piece++) {
          if (kept[region][piece]) {
            MemorySegment.copy(copy, piece * bytes, segment(), at(region, piece), bytes);
          }
        }
      }
    }

    @Override
    public long bytes() {
      long bytes = 0;
      for (Region region : regions) {
        bytes += region.bytes();
      }
      return bytes;
    }

    @Override
    public void close() {
      due.remove(this);
    }
  }

  /** All of the state is about to change otherwise than by a kernel. */
  private void keepForOthers(Copied except) {
    due.removeIf(
        mark -> {
          for (int region = 0; mark != except && region < regions.length; region++) {
            for (int piece = 0; piece < regions[region].pieces(); piece++) {
              mark.keep(region, piece);
            }
          }
          return mark != except;
        });
  }

  @Override
  public Mark mark(Mark reuse) {
    return reuse instanceof Copied copied ? copied.arm() : new Copied().arm();
  }

  @Override
  public RecurrentState copy() {
    return new RecurrentState(regions, starts, memory.copy());
  }

  @Override
  public void become(MixerState other) {
    keepForOthers(null);
    segment().copyFrom(((RecurrentState) other).segment());
  }

  @Override
  public long bytes() {
    return memory.bytes();
  }

  @Override
  public void write(DataOutput out) throws IOException {
    memory.write(out);
  }

  /** Reads beside the state first, so that a file that ends early leaves it as it was. */
  @Override
  public void read(DataInput in) throws IOException {
    try (NativeFloats read = NativeFloats.ofBytes(memory.bytes())) {
      read.read(in);
      keepForOthers(null);
      segment().copyFrom(read.segment());
    }
  }

  @Override
  public void close() {
    memory.close();
  }
}
