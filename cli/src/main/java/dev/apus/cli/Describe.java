package dev.apus.cli;

final class Describe {}
