# Loads each URL of the standard input with libwww-perl; HTTP::Cookies keeps the cookies.   usage: lwp.pl CERTIFICATE
use strict;
use warnings;
use HTTP::Cookies;
use LWP::UserAgent;

$| = 1;
my $agent = LWP::UserAgent->new(cookie_jar => HTTP::Cookies->new, ssl_opts => { SSL_ca_file => $ARGV[0] });
while (my $url = <STDIN>) {
    chomp $url;
    my $response = $agent->get($url);
    print $response->is_success ? "loaded" : $response->status_line, "\n";
}
