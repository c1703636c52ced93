# Cache::Memcached::Fast (Debian: libcache-memcached-fast-perl) against a running server:
# perl FILE HOST PORT. Says so and ends well where it is not installed.
use strict;
use warnings;

unless (eval { require Cache::Memcached::Fast; 1 }) {
    print "left out: Cache::Memcached::Fast is not installed"
      . " (apt-get install libcache-memcached-fast-perl)\n";
    exit 0;
}

my ($host, $port) = @ARGV;
my $client = Cache::Memcached::Fast->new({ servers => ["$host:$port"], io_timeout => 5 });
my $checks = 0;

sub same {
    my ($actual, $expected) = map { defined $_ ? $_ : 'undef' } @_;
    $checks++;
    return if $actual eq $expected;
    print "check $checks: " . substr($actual, 0, 200) . ' instead of ' . substr($expected, 0, 200) . "\n";
    exit 1;
}

$client->flush_all;
same(scalar $client->get('k'), undef);
for my $value ('text', "a \r\n END", "\0\r\n\xff", '42', '') {
    same($client->set('k', $value), 1);
    same(scalar $client->get('k'), $value);
}
same($client->set('object', { a => [1, 2] }), 1);
same($client->get('object')->{a}[1], 2);
same($client->delete('k'), 1);
same($client->delete('k'), '');
same($client->replace('k', 'x'), '');
same($client->add('k', 'b'), 1);
same($client->add('k', 'x'), '');
same($client->append('k', 'c'), 1);
same($client->prepend('k', 'a'), 1);
same(scalar $client->get('k'), 'abc');
my $got = $client->gets('k');
same($got->[1], 'abc');
same($client->cas('k', $got->[0], 'two'), 1);
same($client->cas('k', $got->[0], 'three'), '');
same(scalar $client->get('k'), 'two');
$client->set('n', 9);
same($client->incr('n', 3), 12);
same(0 + $client->decr('n', 100), 0);
# Expected to be no number, which is neither true nor an error.
same(!$client->incr('nokey'), 1);
same($client->touch('k', 100), 1);
$client->set('gone', 'x', 2592001);
same(scalar $client->get('gone'), undef);

my %many = map { ("m$_" => "$_ " x ($_ % 2 ? 10 : 20000)) } 0 .. 299;
my $stored = $client->set_multi(map { [$_, $many{$_}] } keys %many);
same(scalar(grep { $_ } values %$stored), 300);
my $found = $client->get_multi(keys %many, 'nokey');
same(scalar keys %$found, 300);
same($found->{$_}, $many{$_}) for keys %many;
# Calls without a result wait for no reply.
$client->set("q$_", $_) for 0 .. 99;
$client->delete('nokey') for 0 .. 99;
$client->nowait_push;
same(scalar $client->get('q99'), 99);
same($client->set('big', 'x' x 900000), 1);
same(length $client->get('big'), 900000);
same(!$client->set('big', 'x' x 2000000), 1);
same((values %{ $client->server_versions })[0], '1.6.45');
same($client->flush_all ? 1 : 0, 1);
same(scalar $client->get('k'), undef);
print "$checks checks passed\n";
