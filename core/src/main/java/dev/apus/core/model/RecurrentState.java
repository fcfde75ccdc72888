package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.memory.MatrixMemory.Shape;
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
 *
 * <p>Matrix memories are ahead of that: they keep their last tokens beside the matrix, so that a
 * mark only counts tokens, until the matrix is about to take in some that the mark does not know.
 * To generate token by token and to take one back copies nothing.
 */
public final class RecurrentState implements MixerState {

  /** Regions begin at multiples of this many bytes. */
  private static final long ALIGNMENT = 64;

  /**
   * A part of the memory.
   *
   * @param pieces how many parts of it change independently
   * @param floats values of each piece
   * @param memory the shape of the matrix memories that its pieces are; null if they are none
   */
  public record Region(int pieces, long floats, Shape memory) {

    public Region(int pieces, long floats) {
      this(pieces, floats, null);
    }

    /** Matrix memories that nothing changes but {@link RecurrentState#remember}. */
    public static Region of(int memories, Shape shape) {
      return new Region(memories, MatrixMemory.floats(shape), shape);
    }

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

  /** How many tokens each matrix memory has seen; none for pieces that are no such memories. */
  private final int[][] seen;

  /** Marks that have not yet copied all of the state as they know it. */
  private final List<Copied> due = new ArrayList<>();

  private RecurrentState(Region[] regions, long[] starts, NativeFloats memory) {
    this.regions = regions;
    this.starts = starts;
    this.memory = memory;
    this.seen = new int[regions.length][];
    for (int i = 0; i < regions.length; i++) {
      seen[i] = new int[regions[i].memory() == null ? 0 : regions[i].pieces()];
    }
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
    due.removeIf(Copied::isWhole);
  }

  /**
   * Takes a matrix memory through some tokens; different ones may be taken at a time.
   *
   * @param o receives what they read
   */
  public void remember(
      Pass pass, int worker, int region, int piece, int tokens, Inputs in, Rows o) {
    MatrixMemory kernel = pass.kernels().memory();
    Shape shape = regions[region].memory();
    int before = seen[region][piece];
    long at = at(region, piece);
    int held = MatrixMemory.held(shape, tokens, segment(), at, before);
    for (Copied mark : due) {
      if (mark.seenThen[region][piece] < held) {
        mark.keep(region, piece);
      }
    }
    float[] scratch = pass.scratch(worker, kernel.scratchFloats(shape));
    kernel.advance(shape, tokens, in, segment(), at, before, o, scratch);
    seen[region][piece] = before + tokens;
  }

  private final class Copied implements Mark {

    /** Copies of pieces; null for those of which there is none. */
    private final float[][][] then = new float[regions.length][][];

    private final boolean[][] kept = new boolean[regions.length][];
    private final int[][] seenThen = new int[regions.length][];

    Copied() {
      for (int i = 0; i < regions.length; i++) {
        then[i] = new float[regions[i].pieces()][];
        kept[i] = new boolean[regions[i].pieces()];
        seenThen[i] = new int[seen[i].length];
      }
    }

    Copied arm() {
      for (boolean[] region : kept) {
        Arrays.fill(region, false);
      }
      copySeen(seen, seenThen);
      due.add(this);
      return this;
    }

    boolean isWhole() {
      for (boolean[] region : kept) {
        for (boolean piece : region) {
          if (!piece) {
            return false;
          }
        }
      }
      return true;
    }

    void keep(int region, int piece) {
      if (kept[region][piece]) {
        return;
      }
      if (!isEmpty(region, piece)) {
        if (then[region][piece] == null) {
          then[region][piece] = new float[Math.toIntExact(regions[region].floats())];
        }
        long bytes = regions[region].pieceBytes();
        MemorySegment copy = MemorySegment.ofArray(then[region][piece]);
        MemorySegment.copy(segment(), at(region, piece), copy, 0, bytes);
      }
      kept[region][piece] = true;
    }

    /** Whether a piece was a memory that had seen nothing, which needs no copy. */
    private boolean isEmpty(int region, int piece) {
      return regions[region].memory() != null && seenThen[region][piece] == 0;
    }

    @Override
    public void rewind() {
      keepForOthers(this);
      for (int region = 0; region < regions.length; region++) {
        long bytes = regions[region].pieceBytes();
        for (int piece = 0; piece < regions[region].pieces(); piece++) {
          if (kept[region][piece]) {
            MemorySegment there = segment().asSlice(at(region, piece), bytes);
            if (isEmpty(region, piece)) {
              there.fill((byte) 0);
            } else {
              there.copyFrom(MemorySegment.ofArray(then[region][piece]));
            }
          }
        }
      }
      copySeen(seenThen, seen);
    }

    @Override
    public long bytes() {
      long floats = 0;
      for (float[][] region : then) {
        for (float[] piece : region) {
          floats += piece == null ? 0 : piece.length;
        }
      }
      return floats * Float.BYTES;
    }

    /** Copies of memories are seldom needed and large: they go, whereas those of others stay. */
    @Override
    public void close() {
      due.remove(this);
      for (int region = 0; region < regions.length; region++) {
        if (regions[region].memory() != null) {
          Arrays.fill(then[region], null);
        }
      }
    }
  }

  private static void copySeen(int[][] from, int[][] to) {
    for (int i = 0; i < from.length; i++) {
      System.arraycopy(from[i], 0, to[i], 0, from[i].length);
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
    RecurrentState copy = new RecurrentState(regions, starts, memory.copy());
    copySeen(seen, copy.seen);
    return copy;
  }

  @Override
  public void become(MixerState other) {
    RecurrentState there = (RecurrentState) other;
    keepForOthers(null);
    segment().copyFrom(there.segment());
    copySeen(there.seen, seen);
  }

  @Override
  public long bytes() {
    return memory.bytes();
  }

  @Override
  public void write(DataOutput out) throws IOException {
    memory.write(out);
    for (int[] region : seen) {
      for (int tokens : region) {
        out.writeInt(tokens);
      }
    }
  }

  /** Reads beside the state first, so that a file that ends early leaves it as it was. */
  @Override
  public void read(DataInput in) throws IOException {
    try (RecurrentState read =
        new RecurrentState(regions, starts, NativeFloats.ofBytes(memory.bytes()))) {
      read.memory.read(in);
      for (int[] region : read.seen) {
        for (int i = 0; i < region.length; i++) {
          region[i] = in.readInt();
          if (region[i] < 0) {
            throw new IOException("a memory has seen " + region[i] + " tokens");
          }
        }
      }
      become(read);
    }
  }

  @Override
  public void close() {
    memory.close();
  }
}
