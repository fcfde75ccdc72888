package dev.apus.core.weight;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The experts of a model in a memory that does not hold all of them: whoever was asked longest ago
 * makes room.
 *
 * <p>Every place is as large as the experts that it is for, so that any of these fits it. An expert
 * without a place is computed with from its rows as stored, which gives the same bits; so what is
 * in memory is a question of time alone, and may go by chance where several sessions compute.
 */
final class ExpertStore implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ExpertStore.class);

  /**
   * More tokens at once do not drive out who is there: a prompt asks most experts of every layer,
   * once for all its tokens, and packing rows on the way costs it no more than bringing them in.
   */
  private static final int FEW_TOKENS = 8;

  private static final long ALIGNMENT = 64;

  /** The matrices of one expert. All fields but the first belong to the store's lock. */
  static final class Expert {
    private final List<ResidentPanels> matrices = new ArrayList<>();
    private MemorySegment place;

    /** Where it may be. */
    ExpertPlaces places;

    private boolean loading;
    private boolean foreseen;
    private int users;

    long bytes() {
      return matrices.stream().mapToLong(matrix -> aligned(matrix.bytes())).sum();
    }

    boolean isIdle() {
      return users == 0;
    }

    /** Gives its place to somebody else. */
    MemorySegment leave() {
      MemorySegment left = place;
      matrices.forEach(ResidentPanels::leave);
      place = null;
      foreseen = false;
      return left;
    }
  }

  /** The experts of one layer. */
  final class Layer implements Experts {

    private final List<Expert> members;
    private final BiFunction<Expert, Integer, WeightScope> scopes;
    private Layer next;
    private Guess guess;

    private Layer(List<Expert> members, BiFunction<Expert, Integer, WeightScope> scopes) {
      this.members = members;
      this.scopes = scopes;
    }

    @Override
    public WeightScope expert(int index) {
      return scopes.apply(members.get(index), index);
    }

    @Override
    public Use use(Pass pass, int[] asked, int tokens) {
      return ExpertStore.this.use(pass, members(asked), tokens);
    }

    @Override
    public void guessedBy(Guess guess) {
      this.guess = guess;
    }

    @Override
    public void foresee(Pass pass, Matrix x) {
      if (foresight != null && x.rows() <= FEW_TOKENS && next != null && next.guess != null) {
        foresight.wish(next.members(next.guess.experts(pass, x)));
      }
    }

    private List<Expert> members(int[] indices) {
      return Arrays.stream(indices).mapToObj(members::get).toList();
    }
  }

  private final ExpertMemory memory;
  private final Arena arena;
  private final Foresight foresight;
  private final List<Expert> experts = new ArrayList<>();

  /** Of each size; null until every expert has all its matrices. */
  private List<ExpertPlaces> places;

  private Layer last;
  private long largest;
  private long held;
  private long asked;
  private long hits;
  private long loaded;
  private long streamed;
  private long foreseen;
  private long foreseenAsked;

  /**
   * @param arena owns the places
   */
  ExpertStore(ExpertMemory memory, Arena arena) {
    this.memory = memory;
    this.arena = arena;
    this.foresight = memory.foreseeing() ? new Foresight(this::bring) : null;
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  /**
   * A new layer of so many experts, which have no matrices yet.
   *
   * @param scopes the weights of an expert
   */
  synchronized Layer add(int count, BiFunction<Expert, Integer, WeightScope> scopes) {
    List<Expert> members = Stream.generate(Expert::new).limit(count).toList();
    experts.addAll(members);
    Layer layer = new Layer(members, scopes);
    if (last != null) {
      last.next = layer;
    }
    last = layer;
    return layer;
  }

  /**
   * A matrix of an expert.
   *
   * @throws WeightException if the memory holds no expert of this size
   */
  synchronized Panels add(Expert expert, StoredPanels stored) {
    ResidentPanels matrix = new ResidentPanels(stored);
    expert.matrices.add(matrix);
    held += matrix.heldBytes();
    largest = Math.max(largest, expert.bytes());
    if (largest > memory.bytes()) {
      throw new WeightException(
          String.format(
              Locale.ROOT,
              "%s: the experts were given %d bytes, and one of them takes %d; give them more",
              stored.stored().source(),
              memory.bytes(),
              largest));
    }
    places = null;
    return matrix;
  }

  private List<ExpertPlaces> places() {
    if (places == null) {
      places = ExpertPlaces.share(experts, memory.bytes());
    }
    return places;
  }

  /** What the places take when all are in use. */
  synchronized long bytes() {
    return places().stream().mapToLong(ExpertPlaces::allBytes).sum();
  }

  private Experts.Use use(Pass pass, List<Expert> wanted, int tokens) {
    List<Expert> missing = new ArrayList<>();
    synchronized (this) {
      places();
      for (Expert expert : wanted) {
        expert.users++;
        note(expert);
      }
      for (Expert expert : wanted) {
        if (expert.place == null && takePlace(expert, tokens <= FEW_TOKENS)) {
          missing.add(expert);
        } else if (expert.place == null) {
          streamed++;
        }
      }
      loaded += missing.size();
    }
    try {
      load(missing, works -> pass.run(works));
      awaitOthers(wanted);
    } catch (RuntimeException | Error e) {
      leave(wanted);
      throw e;
    }
    return () -> leave(wanted);
  }

  /** Counts a use, and remembers it as the last one. */
  private void note(Expert expert) {
    asked++;
    if (expert.place == null) {
      return;
    }
    hits++;
    if (expert.foreseen) {
      foreseenAsked++;
      expert.foreseen = false;
    }
    expert.places.asked(expert);
  }

  /** Brings experts in that nobody has asked yet. */
  private void bring(List<Expert> wanted) {
    List<Expert> coming = new ArrayList<>();
    synchronized (this) {
      places();
      for (Expert expert : wanted) {
        if (expert.place == null && takePlace(expert, true)) {
          expert.foreseen = true;
          coming.add(expert);
        }
      }
      foreseen += coming.size();
    }
    try {
      load(coming, ExpertStore::runHere);
    } catch (InternalError e) {
      // The file was cut short. Whoever asks for the expert will meet that, and can say so.
      LOG.debug("an expert could not be read beforehand", e);
    }
  }

  private static void runHere(Divisible... works) {
    for (Divisible work : works) {
      work.work().run(0, work.units(), 0);
    }
  }

  private synchronized void leave(List<Expert> wanted) {
    for (Expert expert : wanted) {
      expert.users--;
    }
  }

  /**
   * Gives an expert a place that it is then on the way to.
   *
   * @param driveOut whether somebody may have to go
   */
  private boolean takePlace(Expert expert, boolean driveOut) {
    expert.place = expert.places.take(arena, driveOut);
    expert.loading = expert.place != null;
    return expert.loading;
  }

  /** Does all of some works. */
  @FunctionalInterface
  interface Runner {
    void run(Divisible... works);
  }

  /** Packs experts that are on the way to their places. */
  private void load(List<Expert> coming, Runner runner) {
    if (coming.isEmpty()) {
      return;
    }
    List<Divisible> works = new ArrayList<>();
    List<Runnable> entries = new ArrayList<>();
    for (Expert expert : coming) {
      long at = 0;
      for (ResidentPanels matrix : expert.matrices) {
        MemorySegment part = expert.place.asSlice(at, matrix.bytes());
        works.add(matrix.packing(part));
        entries.add(() -> matrix.enter(part));
        at += aligned(matrix.bytes());
      }
    }
    boolean packed = false;
    try {
      runner.run(works.toArray(Divisible[]::new));
      entries.forEach(Runnable::run);
      packed = true;
    } finally {
      arrived(coming, packed);
    }
  }

  private synchronized void arrived(List<Expert> coming, boolean packed) {
    for (Expert expert : coming) {
      expert.loading = false;
      if (packed) {
        expert.places.arrived(expert);
      } else {
        expert.places.giveBack(expert.place);
        expert.place = null;
      }
    }
    notifyAll();
  }

  /** Waits for experts that others are bringing in. */
  private synchronized void awaitOthers(List<Expert> wanted) {
    boolean interrupted = false;
    for (Expert expert : wanted) {
      while (expert.loading) {
        try {
          wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns when nobody brings anything in any more. */
  @Override
  public void close() {
    if (foresight != null) {
      foresight.close();
    }
  }

  synchronized ExpertStatistics statistics() {
    return new ExpertStatistics(
        experts.size(),
        places().stream().mapToInt(ExpertPlaces::count).sum(),
        largest,
        bytes(),
        held,
        asked,
        hits,
        loaded,
        streamed,
        foreseen,
        foreseenAsked);
  }
}
