package dev.apus.cli;

final class Bench {}
